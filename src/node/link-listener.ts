/** What a channel tells goes to its link, whose own `close` is another thing. */
import type { Bytes } from '../base/bytes.ts';
import type { ChannelListener } from '../base/ports.ts';

/** The link, as its channel sees it. */
export interface Listening {
  /** A message came over the channel. */
  heard(message: Bytes): void;
  /** The channel has room again. */
  drained(): void;
  /** It is over, and the other side did not say so. */
  broke(reason: string): void;
}

/** One for each link: small, as an open node has thousands. */
export class LinkListener implements ChannelListener {
  private readonly link: Listening;

  constructor(link: Listening) {
    this.link = link;
  }

  message(message: Bytes): void {
    this.link.heard(message);
  }

  drain(): void {
    this.link.drained();
  }

  close(reason: string): void {
    this.link.broke(reason);
  }
}
