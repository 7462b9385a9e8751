import { createPuncher } from '../../src/browser/webrtc.ts';
import { channelContract, introduce, puncherContract } from './channel.ts';

const create = () => [createPuncher(), createPuncher()] as const;

puncherContract('WebRTC', create);
channelContract('WebRTC', () => introduce(create()));
