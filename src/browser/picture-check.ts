/** Whether video that came from elsewhere can be decoded to its end. It runs in the cut worker. */
import { openMediaFile } from './media-file.ts';

/** Packets that wait in front of the decoder. */
const AHEAD = 16;

/** True when all of its `pictures` can be decoded at the size that its header says; null where WebCodecs can't decode it at all. */
export async function decodesAll(blob: Blob, pictures: number): Promise<boolean | null> {
  const video = (await openMediaFile(blob))?.video;
  if (!video) return false;
  const config = video.decoderConfig;
  if (typeof VideoDecoder === 'undefined' || !config) return null;
  const support = await VideoDecoder.isConfigSupported(config).catch(() => null);
  if (!support?.supported) return null;
  let decoded = 0;
  let failed = false;
  let wake: () => void = () => undefined;
  const decoder = new VideoDecoder({
    output(frame) {
      // What is coded reaches to whole macroblocks.
      const { visibleRect } = frame;
      if (visibleRect?.width !== config.codedWidth || visibleRect?.height !== config.codedHeight) failed = true;
      decoded++;
      frame.close();
    },
    error() {
      failed = true;
      wake();
    },
  });
  decoder.ondequeue = () => wake();
  try {
    decoder.configure(config);
    for await (const packet of video.packets({ metadataOnly: false })) {
      while (!failed && decoder.decodeQueueSize >= AHEAD) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      if (failed) return false;
      decoder.decode(packet.toEncodedVideoChunk());
    }
    await decoder.flush();
  } catch {
    return false; // What the decoder calls damaged.
  } finally {
    if (decoder.state !== 'closed') decoder.close();
  }
  return !failed && decoded === pictures;
}
