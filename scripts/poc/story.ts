import { setTimeout as sleep } from 'node:timers/promises';
import { killFunction, killOrchestrator, REQUEST_PROCESSING, type ChaosTerms } from '../demo/chaos.ts';
import { until } from '../demo/processes.ts';
import type { LoadPlayer, PlayedLoad } from './load-player.ts';
import { DEMAND, MOST_COPIES, type Timetable } from './timetable.ts';
import type { Versions } from './versions.ts';
import type { Watch } from './watch.ts';

/** What is shown, in its order. */
export const ACTS = ['start', 'burst', 'scale out', 'kill', 'heal', 'upgrade', 'scale in'] as const;
export type Act = (typeof ACTS)[number];

/** What happened when; times are milliseconds since the Unix epoch. */
export interface Story {
  readonly played: PlayedLoad;
  readonly beganAt: number;
  readonly breachAt: number;
  readonly fallAt: number;
  readonly healSeconds: { readonly requestProcessing: number; readonly orchestrator?: number };
  readonly upgrade: { readonly from: number; readonly to: number };
  /** When only the least number of copies ran again. */
  readonly restedAt: number;
}

export interface StoryTerms extends ChaosTerms {
  readonly service: string;
  readonly timetable: Timetable;
  readonly versions: Versions;
  readonly load: LoadPlayer;
  readonly watch: Watch;
  readonly begin: (act: Act) => void;
}

const BEGIN_SECONDS = 30;
const SCALE_SECONDS = 60;

/** Burst, scale out, kill, heal, upgrade, scale in. @throws RangeError naming what did not come to pass */
export async function tellStory(terms: StoryTerms): Promise<Story> {
  const { installation, timetable, versions, load, signal } = terms;
  // The next version is onboarded beside the old one while that serves.
  const [beganAt] = await Promise.all([
    theBeginning(terms),
    installation.iotmano('package', 'onboard', versions.next.file),
  ]);
  const breachAt = beganAt + timetable.calmSeconds * 1000;
  const fallAt = breachAt + timetable.highSeconds * 1000;
  await scaleOut(terms, breachAt);
  await untilInTime(terms);
  await pause(terms);
  const healSeconds = await killAndHeal(terms);
  await pause(terms);
  const upgrade = await upgradeProcessing(terms);
  terms.begin('scale in');
  await sleep(Math.max(0, fallAt - Date.now()), undefined, { signal });
  terms.say(`the demand falls to ${DEMAND.calm} requests a second`);
  await untilCopies(terms, 1);
  const restedAt = Date.now();
  await pause(terms);
  return { played: await load.end(), beganAt, breachAt, fallAt, healSeconds, upgrade, restedAt };
}

/** @returns when the play began */
async function theBeginning({ load, signal, say }: StoryTerms): Promise<number> {
  await until(
    'the first second of the load',
    BEGIN_SECONDS,
    async () => {
      load.requireGoing();
      return load.seconds().length > 0;
    },
    signal,
  );
  say(`devices ask ${DEMAND.calm} times a second`);
  return load.beganAt() ?? Date.now();
}

async function scaleOut(terms: StoryTerms, breachAt: number): Promise<void> {
  const { signal, say, begin } = terms;
  begin('burst');
  await sleep(Math.max(0, breachAt - Date.now()), undefined, { signal });
  say(`the demand jumps to ${DEMAND.high} requests a second`);
  begin('scale out');
  await untilCopies(terms, MOST_COPIES);
}

/** What waited since the burst has been answered: what comes next has no part in that. */
async function untilInTime({ load, signal, say }: StoryTerms): Promise<void> {
  await until(
    'that requests are answered in time again',
    SCALE_SECONDS,
    async () => {
      load.requireGoing();
      return load.seconds().at(-1)?.late === 0;
    },
    signal,
  );
  say('requests are answered in time again');
}

async function killAndHeal(terms: StoryTerms): Promise<Story['healSeconds']> {
  terms.begin('kill');
  const healing = killFunction(terms, REQUEST_PROCESSING);
  terms.begin('heal');
  const requestProcessing = await healing;
  if (!terms.timetable.killsOrchestrator) return { requestProcessing };
  await pause(terms);
  return { requestProcessing, orchestrator: await killOrchestrator(terms) };
}

async function upgradeProcessing({
  installation,
  versions,
  service,
  watch,
  signal,
  say,
  begin,
}: StoryTerms): Promise<Story['upgrade']> {
  begin('upgrade');
  const line = `service upgrade ${service} --function ${REQUEST_PROCESSING.name}=${versions.next.version}`;
  say(`iotmano ${line}`);
  const from = Date.now();
  await installation.iotmano(...line.split(' '));
  await until(
    'that only the new version runs',
    SCALE_SECONDS,
    async () => watch.running(versions.next.version) > 0 && watch.running(versions.first.version) === 0,
    signal,
  );
  return { from, to: Date.now() };
}

function untilCopies({ watch, load, signal }: StoryTerms, count: number): Promise<void> {
  return until(
    `that ${count} of request processing run`,
    SCALE_SECONDS,
    async () => {
      load.requireGoing();
      return watch.running() === count;
    },
    signal,
  );
}

async function pause({ timetable, signal }: StoryTerms): Promise<void> {
  await sleep(timetable.pauseSeconds * 1000, undefined, { signal });
}
