import { parseSeconds } from '../../kernel/index.ts';
import { parseDailyWindow } from '../document/quantities.ts';
import { BOTH, FUNCTION, type Rule } from './rule.ts';

export const upgradeCannotBegin: Rule = {
  name: 'upgrade-cannot-begin',
  summary:
    'An upgrade that replaces instances one after the other may have one more, or one fewer, meanwhile (`maxSurge`, `maxUnavailable`).',
  kinds: FUNCTION,
  *check(doc) {
    const upgrade = doc.at('upgrade');
    const strategy = upgrade.at('strategy').text;
    if (strategy === 'recreate' || strategy === 'blue-green') return;
    const surge = upgrade.at('maxSurge');
    if (surge.number === 0 && (upgrade.at('maxUnavailable').number ?? 0) === 0)
      yield {
        at: surge,
        message: 'with `maxSurge` 0 and `maxUnavailable` 0 no instance can be replaced',
        remedy: 'allow one of them to be 1 or more, or choose `recreate`',
      };
  },
};

const DAY = 86_400;

/** Seconds, as the API takes them of a request. */
const TIMES = [
  { name: 'healthyFor', least: 0, most: DAY, text: 'at most 24h' },
  { name: 'healthyWithin', least: 1, most: DAY, text: 'from 1s to 24h' },
  { name: 'bake', least: 0, most: 365 * DAY, text: 'at most 365d' },
] as const;

export const upgradeTimeOutOfRange: Rule = {
  name: 'upgrade-time-out-of-range',
  summary:
    'Times of an upgrade end: `healthyFor` and `healthyWithin` within a day, `bake` within a year; a `window` is open for a minute at least, and at most all day.',
  kinds: BOTH,
  *check(doc) {
    const upgrade = doc.at('upgrade');
    for (const { name, least, most, text } of TIMES) {
      const at = upgrade.at(name);
      const seconds = at.exists ? parseSeconds(at.value) : undefined;
      if (seconds !== undefined && (seconds < least || seconds > most))
        yield { at, message: `${String(at.value)} is out of range`, remedy: `choose ${text}` };
    }
    const window = upgrade.at('window');
    const { forSeconds } = (window.exists ? parseDailyWindow(window.value) : undefined) ?? {};
    if (forSeconds !== undefined && (forSeconds < 60 || forSeconds > DAY))
      yield {
        at: window,
        message: `${String(window.value)} is open for ${forSeconds} s of each day`,
        remedy: 'choose a length from 1m to 24h, as in `02:00/2h local`',
      };
  },
};
