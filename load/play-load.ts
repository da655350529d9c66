import type { Clock } from '../kernel/index.ts';
import { requestOf, targetOf, type Ask, type DevicesOptions } from './devices.ts';
import { LoadFigures, type LoadResult, type ProgressFigures } from './figures.ts';
import { planArrivals, rateAt, type Arrival, type PlayPlan, type PlayTerms } from './plan-arrivals.ts';

export interface PlayOptions {
  readonly plan: PlayPlan;
  readonly terms: Pick<PlayTerms, 'devices' | 'readShare' | 'seed'>;
  readonly devices: DevicesOptions;
  readonly lateAfterMilliseconds: number;
  /** More requests than that are not sent: they fail as "not sent". */
  readonly maxInFlight: number;
  readonly clock: Clock;
  /** Once aborted no further request is sent; those under way still get their answers. */
  readonly signal?: AbortSignal;
  /** Called once a second. */
  readonly onProgress?: (progress: ProgressFigures) => void;
  /** Running copies by function, at this moment. */
  readonly instances?: () => Readonly<Record<string, number>>;
}

/** After so many requests in one go the answers that have come are looked at. */
const BATCH = 64;

/** The world of a play. */
interface Play extends PlayOptions {
  readonly ask: Ask;
  readonly figures: LoadFigures;
  /** Milliseconds since the beginning. */
  readonly elapsed: () => number;
  readonly underWay: Set<Promise<void>>;
}

/**
 * Plays a planned load open loop: each request leaves when it is due, whatever became of those before it, and its latency is counted from
 * when it was due. Ends when the last one is answered or has failed.
 * @param connect makes what devices ask with, and tells it whom to tell of requests that are sent again
 */
export async function playLoad(
  options: PlayOptions,
  connect: (onResent: () => void) => Ask,
): Promise<LoadResult> {
  const { clock, plan } = options;
  const figures = new LoadFigures(options.lateAfterMilliseconds);
  const begin = clock.monotonic();
  const play: Play = {
    ...options,
    figures,
    ask: connect(() => figures.resent()),
    elapsed: () => clock.monotonic() - begin,
    underWay: new Set<Promise<void>>([]),
  };
  const over = new AbortController();
  const ticking = tickEverySecond(play, over.signal);
  await sendAll(play, planArrivals(plan, options.terms));
  await Promise.all(play.underWay);
  over.abort();
  await ticking;
  return figures.result(play.elapsed() / 1000);
}

async function sendAll(play: Play, arrivals: Iterable<Arrival>): Promise<void> {
  const { clock, signal, elapsed } = play;
  let number = 0;
  for (const arrival of arrivals) {
    const wait = arrival.atMilliseconds - elapsed();
    if (wait > 0) await clock.sleep(wait, signal);
    else if (number % BATCH === 0) await clock.sleep(0, signal);
    if (signal?.aborted === true) return;
    number += 1;
    const ending = send(play, arrival, number).finally(() => play.underWay.delete(ending));
    play.underWay.add(ending);
  }
  // The demand may end in silence, which is part of the play.
  await clock.sleep(Math.max(0, play.plan.seconds * 1000 - elapsed()), signal);
}

async function send(
  { ask, figures, elapsed, ...play }: Play,
  arrival: Arrival,
  number: number,
): Promise<void> {
  const hasRoom = figures.inFlight < play.maxInFlight;
  figures.due();
  const sent = elapsed();
  const target = targetOf(arrival.device, play.devices.targets());
  const outcome =
    target === undefined
      ? { fault: 'nowhere to ask' }
      : hasRoom
        ? await ask(target, requestOf(arrival, number, play.devices))
        : { fault: 'not sent: too many under way' };
  figures.ended(outcome, { intended: arrival.atMilliseconds, sent, ended: elapsed() });
}

async function tickEverySecond(
  { figures, plan, elapsed, clock, instances, onProgress }: Play,
  over: AbortSignal,
): Promise<void> {
  for (let second = 1; !over.aborted; second += 1) {
    await clock.sleep(Math.max(0, second * 1000 - elapsed()), over);
    const progress = figures.tick(rateAt(plan, second - 0.5), instances?.());
    onProgress?.(progress);
  }
}
