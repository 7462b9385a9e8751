/** Direct connections between tabs: simple-peer negotiates, the bytes go over its data channel without its stream. */
/// <reference path="./simple-peer.d.ts" />
import SimplePeer from 'simple-peer/simplepeer.min.js';
import type { Bytes } from '../base/bytes.ts';
import { fail } from '../base/errors.ts';
import type { Nat } from '../base/nat.ts';
import type { Channel, Punch, Puncher } from '../base/ports.ts';
import { deferred, quiet } from '../base/timing.ts';
import { candidateFor, endpointOf, parseCandidate, sdpOf } from './compact-sdp.ts';
import { holdDataChannel } from './data-channel.ts';
import { watchNat } from './nat-watch.ts';
import { bindingOf, fingerprint, formatPunchSignal, MAX_CANDIDATES, parsePunchSignal } from './webrtc-signal.ts';

/** From start to an open channel (ms). On a bad network ICE needs up to about 5 s; after 15 s nothing more comes. */
const OPEN_TIMEOUT = 15_000;

export interface PuncherOptions {
  /** STUN and TURN servers, asked for at each connection: a change serves for those made from then on. None when it is not given. */
  readonly iceServers?: () => readonly RTCIceServer[];
}

/**
 * The Puncher port. `constructed` counts RTCPeerConnections: a tab may have 500, those closed of late included. Throws
 * `missing-feature` where the browser has no WebRTC.
 */
export function createPuncher(options: PuncherOptions = {}): Puncher & { readonly constructed: number } {
  if (typeof RTCPeerConnection === 'undefined') {
    throw fail(
      'missing-feature',
      'This browser has no WebRTC, or it is switched off, so this tab can’t talk to others. Switch it on, or use another browser.',
    );
  }
  const iceServers = options.iceServers ?? (() => []);
  let constructed = 0;
  let nat: Nat | null = null;
  return {
    get constructed() {
      return constructed;
    },
    get nat() {
      return nat;
    },
    get relays() {
      return iceServers().some(({ urls }) => [urls].flat().some((url) => /^turns?:/.test(url)));
    },
    start({ initiator, emit }) {
      constructed++;
      return punch({
        initiator,
        emit,
        iceServers: [...iceServers()],
        onJudged(verdict) {
          nat = verdict ?? nat; // a connection at home says nothing about what is outside
        },
      });
    },
  };
}

function punch(options: {
  initiator: boolean;
  emit: (signal: string) => void;
  iceServers: RTCIceServer[];
  onJudged: (verdict: Nat | null) => void;
}): Punch {
  const { initiator, emit, iceServers } = options;
  const opening = deferred<Channel>();
  quiet(opening.promise);
  const peer = new SimplePeer({ initiator, trickle: true, config: { iceServers } });
  let phase: 'opening' | 'open' | 'over' = 'opening';
  /** Of the description that we gave to the browser. Its own `remoteDescription` may still be empty when the channel opens. */
  let remote: Bytes | null = null;

  const giveUp = (error: Error): void => {
    if (phase !== 'opening') return;
    phase = 'over';
    clearTimeout(timer);
    peer.destroy();
    opening.reject(error);
  };
  const unreachable = (why: string): void => giveUp(fail('unreachable', `No direct connection to the other tab: ${why}`));
  const timer = setTimeout(() => unreachable('none of the ways between the two networks opened in time.'), OPEN_TIMEOUT);

  let told = 0;
  peer.on('signal', (signal) => {
    if (phase === 'over') return;
    if (signal.type === 'candidate') {
      const candidate = parseCandidate(signal.candidate?.candidate ?? '');
      if (candidate && told < MAX_CANDIDATES) emit(formatPunchSignal({ type: 'candidate', index: told++, candidate }));
      return;
    }
    const endpoint = endpointOf(signal.sdp ?? '');
    if (!endpoint || (signal.type !== 'offer' && signal.type !== 'answer')) {
      unreachable('this browser describes its end in a way that is not known here.');
      return;
    }
    told = endpoint.candidates.length;
    emit(formatPunchSignal({ type: signal.type, endpoint }));
  });
  peer.on('error', (error) => unreachable(`${error.message || 'the browser gave no reason'}`));
  peer.on('close', () => {
    unreachable('the other side ended it.');
    phase = 'over';
  });

  /** Takes the connection's one data channel over from simple-peer, in the very task in which it appears: messages may be right behind. */
  const adopt = (pc: RTCPeerConnection, dataChannel: RTCDataChannel): void => {
    const channel = holdDataChannel(dataChannel, {
      end: () => peer.destroy(),
      onBroken(listener) {
        // simple-peer fails on `failed`, not on `disconnected`: from that ICE may recover by itself, for example after a change of network.
        peer.on('error', (error) => listener(`The connection to the other tab broke: ${error.message}`));
        peer.on('close', () => listener('The connection ended.'));
      },
    });
    const onOpen = (): void => {
      if (phase !== 'opening') return;
      const local = fingerprint(pc.localDescription?.sdp ?? '');
      if (!local || !remote) {
        unreachable('its DTLS fingerprints are missing.');
        return;
      }
      phase = 'open';
      clearTimeout(timer);
      void watchNat(pc).then(options.onJudged);
      opening.resolve(channel(bindingOf(local, remote)));
    };
    if (dataChannel.readyState === 'open') onOpen();
    else dataChannel.addEventListener('open', onOpen);
  };

  const pc = peer._pc;
  if (pc && peer._channel) adopt(pc, peer._channel);
  else if (pc) {
    const first = pc.ondatachannel;
    pc.ondatachannel = (event) => {
      pc.ondatachannel = null; // a second channel would make simple-peer forget the first
      first?.call(pc, event);
      const { ordered, maxPacketLifeTime, maxRetransmits } = event.channel;
      if (!ordered || maxPacketLifeTime !== null || maxRetransmits !== null) unreachable('the other side offered a lossy channel.');
      else adopt(pc, event.channel);
    };
  }

  return {
    opened: opening.promise,
    accept(text) {
      if (phase === 'over') return;
      const signal = parsePunchSignal(text);
      const expected = signal && (signal.type === 'candidate' || (signal.type === (initiator ? 'answer' : 'offer') && !remote));
      if (!expected) {
        unreachable('it sent something that is no part of setting one up.');
        return;
      }
      if (signal.type !== 'candidate') remote = signal.endpoint.fingerprint;
      try {
        peer.signal(
          signal.type === 'candidate'
            ? { type: 'candidate', candidate: candidateFor(signal.candidate, signal.index) }
            : { type: signal.type, sdp: sdpOf(signal.endpoint, signal.type) },
        );
      } catch (error) {
        unreachable(`it sent an address that the browser refuses (${error instanceof Error ? error.message : String(error)}).`);
      }
    },
    close() {
      giveUp(fail('closed', 'The connection was given up here before it opened.'));
    },
  };
}
