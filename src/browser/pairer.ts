/** The Pairer port: a direct connection by one description each way, carried by people. */
import { asKadreelError, fail, type KadreelError } from '../base/errors.ts';
import type { Channel, Endpoint, Pairer, Pairing } from '../base/ports.ts';
import { deferred, quiet } from '../base/timing.ts';
import { candidatesFor, endpointOf, sdpOf } from './compact-sdp.ts';
import { holdDataChannel } from './data-channel.ts';
import { bindingOf } from './webrtc-signal.ts';

/** What was gathered by now (ms) is told: a STUN server that does not answer holds the end of gathering up for 10 s. */
const GATHER_TIMEOUT = 3_000;
/** From the answer to an open channel (ms): both sides try at once, and ICE has given up by then. */
const OPEN_TIMEOUT = 20_000;
/** Both sides make the same channel beforehand: none has to be announced. */
const CHANNEL: RTCDataChannelInit = { negotiated: true, id: 0 };

/** `constructed` counts RTCPeerConnections, of which a tab may have 500. */
export function createPairer(options: { iceServers?: () => readonly RTCIceServer[] } = {}): Pairer & { readonly constructed: number } {
  let constructed = 0;
  const begin = (offer: Endpoint | null): Pairing => {
    constructed++;
    return pair(new RTCPeerConnection({ iceServers: [...(options.iceServers?.() ?? [])] }), offer);
  };
  return {
    get constructed() {
      return constructed;
    },
    offer: () => begin(null),
    answer: begin,
  };
}

function pair(pc: RTCPeerConnection, offer: Endpoint | null): Pairing {
  const opening = deferred<Channel>();
  const telling = deferred<Endpoint>();
  quiet(opening.promise);
  quiet(telling.promise);
  let remote = offer;
  let phase: 'opening' | 'open' | 'over' = 'opening';
  let timer: ReturnType<typeof setTimeout> | undefined;
  let tries = 0;

  const giveUp = (error: KadreelError): void => {
    if (phase !== 'opening') return;
    phase = 'over';
    clearTimeout(timer);
    pc.close();
    telling.reject(error);
    opening.reject(error);
  };
  const unreachable = (why: string): void => giveUp(fail('unreachable', why));
  /** What the browser throws at a description or a candidate. */
  const onRefused = (error: unknown): void => unreachable(`The browser refuses what the code says: ${asKadreelError(error).message}`);

  const dataChannel = pc.createDataChannel('kadreel', CHANNEL);
  const channel = holdDataChannel(dataChannel, {
    end: () => pc.close(),
    onBroken(listener) {
      pc.addEventListener('connectionstatechange', () => {
        if (phase !== 'open' || pc.connectionState !== 'failed') return;
        listener('The connection to the other tab broke.');
        pc.close();
      });
    },
  });
  dataChannel.addEventListener('close', () => pc.close());
  dataChannel.addEventListener('open', () => {
    const local = endpointOf(pc.localDescription?.sdp ?? '');
    if (phase !== 'opening') return;
    if (!local || !remote) return unreachable('Its DTLS fingerprints are missing.');
    phase = 'open';
    clearTimeout(timer);
    opening.resolve(channel(bindingOf(local.fingerprint, remote.fingerprint)));
  });
  pc.addEventListener('connectionstatechange', () => {
    if (phase !== 'opening' || pc.connectionState !== 'failed') return;
    if (!offer) return unreachable('None of the ways between the two networks opened.');
    // Until the first side has the answer its router lets nothing through. We go on, so that ours lets its first packets in.
    tries++;
    for (const candidate of candidatesFor(offer, tries)) pc.addIceCandidate(candidate).catch(onRefused);
  });

  const describe = async (): Promise<void> => {
    if (offer) await pc.setRemoteDescription({ type: 'offer', sdp: sdpOf(offer, 'offer') });
    await pc.setLocalDescription();
    await gathered(pc);
    if (phase !== 'opening') return;
    const own = endpointOf(pc.localDescription?.sdp ?? '');
    if (!own) giveUp(fail('internal', 'This browser describes its end of a connection in an unknown way.'));
    else if (own.candidates.length === 0)
      unreachable('This browser found no network address of this device. Check that it is connected to a network.');
    else telling.resolve(own);
  };
  describe().catch(onRefused);

  return {
    own: telling.promise,
    opened: opening.promise,
    accept(answer) {
      if (phase !== 'opening' || remote) return;
      remote = answer;
      timer = setTimeout(() => unreachable('None of the ways between the two networks opened in time.'), OPEN_TIMEOUT);
      pc.setRemoteDescription({ type: 'answer', sdp: sdpOf(answer, 'answer') }).catch(onRefused);
    },
    close() {
      giveUp(fail('closed', 'The connection was given up here before it opened.'));
    },
  };
}

/** Resolves when all addresses are known, or when waiting for more makes no sense. */
function gathered(pc: RTCPeerConnection): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      pc.removeEventListener('icegatheringstatechange', look);
      resolve();
    };
    const look = (): void => {
      if (pc.iceGatheringState === 'complete') end();
    };
    const timer = setTimeout(end, GATHER_TIMEOUT);
    pc.addEventListener('icegatheringstatechange', look);
    look();
  });
}
