/** Every RTCPeerConnection that a test file constructs. */
import { afterAll } from 'vitest';

/** Recorded from this call to the end of the file, in the order of construction; empty it between tests. */
export function recordConnections(): RTCPeerConnection[] {
  const connections: RTCPeerConnection[] = [];
  const Original = RTCPeerConnection;
  globalThis.RTCPeerConnection = class extends Original {
    constructor(configuration?: RTCConfiguration) {
      super(configuration);
      connections.push(this);
    }
  };
  afterAll(() => {
    globalThis.RTCPeerConnection = Original;
  });
  return connections;
}
