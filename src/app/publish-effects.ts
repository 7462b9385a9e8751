/** The publication that the page follows. */
import type { SourceFile } from '../base/ports.ts';
import { quiet } from '../base/timing.ts';
import type { GrowthState, Kadreel, PublishOptions, QualityState } from './api.ts';
import type { Event } from './events.ts';
import { problemOf } from './problems.ts';
import type { PublishPlan } from './state.ts';

export interface PublishEffects {
  publish(file: SourceFile, wanted: { readonly title: string; readonly plan: PublishPlan }): Promise<void>;
  /** The page shows another file: what goes on is not told any more. */
  leave(): void;
  cancel(): void;
}

interface Job {
  readonly controller: AbortController;
  /** Whether the page still shows it. */
  followed: boolean;
}

/** `options`: the plan as it goes into a publication. */
export function createPublishEffects({
  kadreel,
  tell,
  options,
}: {
  readonly kadreel: Promise<Kadreel>;
  readonly tell: (event: Event) => void;
  readonly options: (plan: PublishPlan) => Promise<Pick<PublishOptions, 'without' | 'poster' | 'captions'>>;
}): PublishEffects {
  let job: Job | null = null;
  return {
    async publish(file, { title, plan }) {
      const controller = new AbortController();
      const own: Job = { controller, followed: true };
      job = own;
      const follow = (event: Event): void => {
        if (own.followed && !controller.signal.aborted) tell(event);
      };
      let growth: GrowthState | null = null;
      let qualities: readonly QualityState[] = [];
      try {
        const page = await kadreel;
        const publication = await page.publish(file, {
          title,
          ...(await options(plan)),
          signal: controller.signal,
          onProgress: (progress) => follow({ type: 'publish-progressed', progress }),
          onGrowth(now) {
            growth = now;
            follow({ type: 'growth-changed', growth });
          },
          onQualities(states) {
            qualities = states;
            follow({ type: 'qualities-changed', qualities });
          },
          onSharedWork: (work) => follow({ type: 'shared-work-changed', work }),
        });
        const { videoId, watchUrl, done } = publication;
        if (controller.signal.aborted) {
          quiet(done);
          tell({ type: 'publish-cancelled', published: true });
          return;
        }
        follow({ type: 'published', videoId, watchUrl });
        // The first ones are told before the link is.
        if (growth) follow({ type: 'growth-changed', growth });
        if (qualities.length > 0) follow({ type: 'qualities-changed', qualities });
        done.then(
          (copies) => follow({ type: 'copies-stored', videoId, copies }),
          (error) => follow({ type: 'copies-failed', videoId, problem: problemOf(error, 'publishing') }),
        );
      } catch (error) {
        if (!controller.signal.aborted) follow({ type: 'publish-failed', problem: problemOf(error, 'publishing') });
        else tell({ type: 'publish-cancelled', published: false });
      }
    },
    leave() {
      if (job) job.followed = false;
    },
    cancel() {
      job?.controller.abort();
    },
  };
}
