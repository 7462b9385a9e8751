/** The Siblings port: the BroadcastChannel of the browser. */
import type { Siblings } from '../base/ports.ts';

const NAME = 'kadreel/rows';
/** Names of rows are short; what is longer, or no text, is no message of ours. */
const MAX_NAME = 100;

/** Where the browser has no BroadcastChannel the other tabs read the disk when they begin, as ever. */
export function createSiblings(): Siblings {
  if (typeof BroadcastChannel === 'undefined') return { tell: () => undefined, listen: () => () => undefined };
  const channel = new BroadcastChannel(NAME);
  return {
    tell: (row) => channel.postMessage(row),
    listen(listener) {
      const onMessage = ({ data }: MessageEvent<unknown>): void => {
        if (typeof data === 'string' && data.length <= MAX_NAME) listener(data);
      };
      channel.addEventListener('message', onMessage);
      return () => channel.removeEventListener('message', onMessage);
    },
  };
}
