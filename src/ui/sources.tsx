/** Where the bytes of the video come from, as they come. */
import type { JSX } from 'solid-js';
import type { BytesBySource } from '../app/api.ts';
import { formatBytes, servedBy } from './format.ts';

export function Sources(props: { readonly sources: BytesBySource }): JSX.Element {
  const total = () => props.sources.store + props.sources.tabs + props.sources.openNodes;
  const share = (bytes: number) => (total() === 0 ? 0 : bytes / total());
  return (
    <section class="sources" aria-labelledby="sources">
      <h2 id="sources">{servedBy(props.sources)}</h2>
      <div
        class="sources-bar"
        aria-hidden="true"
        style={{ '--tabs': `${share(props.sources.tabs)}`, '--store': `${share(props.sources.store)}` }}
      >
        <span class="sources-tabs" />
        <span class="sources-store" />
      </div>
      <dl class="figures">
        <div>
          <dt>
            <span class="swatch swatch-tabs" aria-hidden="true" />
            Other tabs
          </dt>
          <dd>{formatBytes(props.sources.tabs)}</dd>
        </div>
        <div>
          <dt>
            <span class="swatch swatch-store" aria-hidden="true" />
            This disk
          </dt>
          <dd>{formatBytes(props.sources.store)}</dd>
        </div>
      </dl>
      <p class="pride">{formatBytes(props.sources.openNodes)} from servers</p>
    </section>
  );
}
