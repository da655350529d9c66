import { faultOfCron, faultOfTimeZone } from '../cron-times.ts';
import type { Cursor } from '../document/cursor.ts';
import { parseSeconds } from '../../kernel/index.ts';
import { BOTH, type Rule, type RuleFinding } from './rule.ts';

/** The aspects of a function, or those of a service. */
function aspectsOf(doc: Cursor): readonly Cursor[] {
  return [...doc.each('scaling'), ...doc.each('aspects')];
}

/** The policy of an aspect, and the one that may go beyond its schedule. */
export function policiesOf(aspect: Cursor): readonly Cursor[] {
  return [aspect.at('policy'), aspect.at('policy', 'beyond')].filter(({ exists }) => exists);
}

/** Where a policy names indicators: itself, and what is under `also`. */
export function indicatorPlaces(policy: Cursor): readonly Cursor[] {
  return [policy, ...policy.each('also')];
}

export const limitsCross: Rule = {
  name: 'limits-cross',
  summary: 'The lower limit of a threshold policy is below its upper limit.',
  kinds: BOTH,
  *check(doc) {
    for (const place of aspectsOf(doc).flatMap(policiesOf).flatMap(indicatorPlaces)) {
      const up = place.at('up').number;
      const down = place.at('down').number;
      if (up === undefined || down === undefined || down < up) continue;
      yield {
        at: place.at('down'),
        message: `\`down\` ${down} is not below \`up\` ${up}`,
        remedy: 'leave room between them: it would scale out and in for ever',
      };
    }
  },
};

export const invalidSchedule: Rule = {
  name: 'invalid-schedule',
  summary: 'The times of a schedule are cron patterns that come, in a time zone that there is.',
  kinds: BOTH,
  *check(doc) {
    const run = doc.at('run');
    if (run.at('timeZone').text !== 'local') yield* faultsOfZone(run.at('timeZone'));
    yield* faultsOfTime(run.at('cron'));
    for (const aspect of aspectsOf(doc)) {
      yield* faultsOfZone(aspect.at('policy', 'timeZone'));
      for (const time of aspect.at('policy').each('times')) yield* faultsOfTime(time.at('at'));
    }
  },
};

function* faultsOfZone(at: Cursor): Iterable<RuleFinding> {
  const fault = at.text === undefined ? undefined : faultOfTimeZone(at.text);
  if (fault !== undefined) yield { at, message: fault, remedy: 'write an IANA name, e.g. `Europe/Paris`' };
}

function* faultsOfTime(at: Cursor): Iterable<RuleFinding> {
  const fault = at.text === undefined ? undefined : faultOfCron(at.text);
  if (fault !== undefined)
    yield { at, message: fault, remedy: 'write minute, hour, day, month, weekday: `0 7 * * 1-5`' };
}

export const timeOutsideAspect: Rule = {
  name: 'time-outside-aspect',
  summary: 'The levels of a schedule lie between the minimum and the maximum of their aspect.',
  kinds: BOTH,
  *check(doc) {
    for (const aspect of aspectsOf(doc)) {
      const levels = aspect.at('levels').items().length;
      const min = aspect.at('min').number ?? Math.min(1, levels);
      const max = aspect.at('max').number ?? (levels === 0 ? Infinity : levels);
      for (const time of aspect.at('policy').each('times')) {
        const at = time.at('level');
        if (at.number === undefined || (at.number >= min && at.number <= max)) continue;
        yield {
          at,
          message: `${at.number} is outside the aspect \`${aspect.at('aspect').text ?? aspect.at('name').text ?? ''}\``,
          remedy: `choose ${min} to ${max}, or change the aspect`,
        };
      }
    }
  },
};

const LONGEST_SECONDS = 31 * 86_400;
/** Of the step of a forecast, and of the time between two readings. */
const SHORTEST_SECONDS = 1;
const LONGEST_READING_SECONDS = 3600;

export const paceOutOfRange: Rule = {
  name: 'pace-out-of-range',
  summary:
    'Durations of scaling policies end within 31 days, windows are above zero, steps of forecasts are at least a second and at most 1,000 ahead, and metrics are read every second to every hour.',
  kinds: BOTH,
  *check(doc) {
    for (const unit of doc.each('units'))
      yield* within(unit.at('metrics', 'every'), SHORTEST_SECONDS, LONGEST_READING_SECONDS, '1s to 1h');
    for (const policy of aspectsOf(doc).flatMap(policiesOf)) {
      for (const name of ['window', 'staleAfter', 'step', 'ahead'])
        yield* within(
          policy.at(name),
          name === 'step' ? SHORTEST_SECONDS : 0.001,
          LONGEST_SECONDS,
          name === 'step' ? '1s to 31d' : 'more than zero, up to 31d',
        );
      yield* reachable(policy);
      for (const at of [
        policy.at('stabilization'),
        policy.at('hold'),
        policy.at('cooldown', 'out'),
        policy.at('cooldown', 'in'),
        policy.at('calm', 'within'),
      ])
        yield* within(at, 0, LONGEST_SECONDS, 'up to 31d');
    }
  },
};

const MOST_STEPS_AHEAD = 1000;

/** A forecast is made step by step. */
function* reachable(policy: Cursor): Iterable<RuleFinding> {
  const ahead = policy.at('ahead');
  const [seconds, step] = [ahead, policy.at('step')].map((at) =>
    at.exists ? parseSeconds(at.value) : undefined,
  );
  if (seconds === undefined || step === undefined || step <= 0 || seconds / step <= MOST_STEPS_AHEAD) return;
  yield {
    at: ahead,
    message: `${String(ahead.value)} is ${Math.ceil(seconds / step)} steps ahead`,
    remedy: `look at most ${MOST_STEPS_AHEAD} steps ahead, or choose a longer step`,
  };
}

function* within(at: Cursor, least: number, most: number, allowed: string): Iterable<RuleFinding> {
  const seconds = at.exists ? parseSeconds(at.value) : undefined;
  if (seconds === undefined || (seconds >= least && seconds <= most)) return;
  yield { at, message: `${String(at.value)} is out of range`, remedy: `choose ${allowed}` };
}
