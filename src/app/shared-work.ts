/** Who makes the smaller pictures of a video when several do: a part of `api.ts`. */
import type { NodeId } from '../kademlia/key.ts';

/** How the smaller pictures are made by several: who does what, and how much it helps. Times in ms since 1970. */
export interface SharedWork {
  readonly workers: readonly SharedWorker[];
  /** One alone would have taken so many times as long; null before there is anything to go by. */
  readonly speedUp: number | null;
  /** Estimated seconds until all that is shared out is made; null before there is anything to go by. */
  readonly secondsLeft: number | null;
}

/** This tab, or a helper. */
export interface SharedWorker {
  readonly id: 'own' | NodeId;
  /** Pieces that came from it. */
  readonly made: number;
  /** It gave something wrong, and is not asked again. */
  readonly dropped: boolean;
  /** The latest, in order. */
  readonly spans: readonly WorkSpan[];
}

/** One piece of work. `segment` is null for a quality made as a whole; `until` and `outcome` are null while it is under work. */
export interface WorkSpan {
  readonly quality: string;
  readonly segment: number | null;
  readonly from: number;
  readonly until: number | null;
  readonly outcome: WorkOutcome | null;
}

/** `checked`: made once more, to compare · `spare`: somebody else was sooner · `lost`: it never came · `wrong`: it was not what was asked for. */
export type WorkOutcome = 'made' | 'checked' | 'spare' | 'lost' | 'wrong';
