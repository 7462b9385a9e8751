import { inject } from 'vitest';
import { createDialer } from '../../src/browser/websocket.ts';
import { dialerContract } from './dialer.ts';

dialerContract('a tab', { dialer: createDialer(), url: () => inject('echoUrl') });
