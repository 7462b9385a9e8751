/** What we use of simple-peer 9.11.1. @types/simple-peer would bring Node's types into the page, and lacks the two inner fields. */
declare module 'simple-peer/simplepeer.min.js' {
  export default class SimplePeer {
    constructor(options: { initiator: boolean; trickle: true; config: RTCConfiguration });
    /** Null after `destroy`, undefined when the browser refused to construct one. */
    readonly _pc: RTCPeerConnection | null | undefined;
    /** Null until there is one, and after `destroy`. */
    readonly _channel: RTCDataChannel | null;
    on(
      event: 'signal',
      listener: (signal: { readonly type?: string; readonly sdp?: string; readonly candidate?: { readonly candidate?: string } }) => void,
    ): this;
    on(event: 'error', listener: (error: Error) => void): this;
    on(event: 'close', listener: () => void): this;
    /** Throws for a candidate that RTCIceCandidate does not take. */
    signal(signal: object): void;
    destroy(): void;
  }
}
