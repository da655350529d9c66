import type { Cursor } from '../document/cursor.ts';
import { parseBytes, parseCpuMillis, parseSeconds } from '../../kernel/index.ts';
import { parseSecondsRange } from '../document/quantities.ts';
import { FUNCTION, type Rule, type RuleFinding } from './rule.ts';

export const minAboveMax: Rule = {
  name: 'min-above-max',
  summary: 'A minimum is not above its maximum: scaling aspects, `backoff`, bounds of parameters.',
  kinds: FUNCTION,
  *check(doc) {
    for (const aspect of doc.each('scaling')) yield* ordered(aspect, 'min', 'max');
    const backoff = doc.at('healing', 'restart', 'backoff');
    const [low = 0, high = 0] = parseSecondsRange(backoff.value) ?? [];
    if (low > high)
      yield {
        at: backoff,
        message: `${String(backoff.value)} goes down`,
        remedy: 'write the shorter duration first',
      };
    for (const parameter of doc.at('config', 'properties').values()) {
      yield* ordered(parameter, 'minimum', 'maximum');
      yield* ordered(parameter, 'minLength', 'maxLength');
      yield* ordered(parameter, 'minItems', 'maxItems');
    }
  },
};

function* ordered(at: Cursor, low: string, high: string): Iterable<RuleFinding> {
  const min = at.at(low).number;
  const max = at.at(high).number;
  if (min !== undefined && max !== undefined && min > max)
    yield {
      at: at.at(low),
      message: `\`${low}\` ${min} is above \`${high}\` ${max}`,
      remedy: `lower \`${low}\` or raise \`${high}\``,
    };
}

export const levelOutsideAspect: Rule = {
  name: 'level-outside-aspect',
  summary: 'The levels of the flavours lie between the minimum and the maximum of the scaling aspects.',
  kinds: FUNCTION,
  *check(doc) {
    const levels = doc.each('flavours', 'levels');
    for (const aspect of doc.each('scaling')) {
      const min = aspect.at('min').number ?? 0;
      const max = aspect.at('max').number ?? Infinity;
      for (const unit of aspect.at('deltas').keys()) {
        for (const level of levels) {
          const at = level.at('instances', unit);
          if (at.number === undefined || (at.number >= min && at.number <= max)) continue;
          const message = `${at.number} instances of \`${unit}\` are outside the aspect \`${aspect.at('aspect').text ?? ''}\``;
          yield { at, message, remedy: `choose ${min} to ${max}, or change the aspect` };
        }
      }
    }
  },
};

export const deltaMissesMaximum: Rule = {
  name: 'delta-misses-maximum',
  summary: 'Steps of a delta lead from the minimum of a scaling aspect to its maximum.',
  kinds: FUNCTION,
  *check(doc) {
    for (const aspect of doc.each('scaling')) {
      const min = aspect.at('min').number;
      const max = aspect.at('max').number;
      if (min === undefined || max === undefined || min > max) continue;
      for (const [unit, at] of aspect.at('deltas').entries()) {
        const delta = at.number ?? 0;
        if (!Number.isInteger(delta) || delta < 1 || (max - min) % delta === 0) continue;
        const message = `steps of ${delta} of \`${unit}\` from ${min} never reach ${max}`;
        yield { at, message, remedy: `choose a delta that divides ${max - min}, or change \`max\`` };
      }
    }
  },
};

const LARGEST = {
  cpuMillis: 1024 * 1000,
  memoryBytes: 64 * 2 ** 40,
  volumeBytes: 1024 * 2 ** 40,
  seconds: 366 * 86_400,
};

export const quantityOutOfRange: Rule = {
  name: 'quantity-out-of-range',
  summary:
    'Quantities are above zero and within what a host may have: 1024 cores, 64 Ti of memory, 1024 Ti of storage; durations end within a year, and probes come at most ten times a second.',
  kinds: FUNCTION,
  *check(doc) {
    for (const unit of doc.each('units')) {
      const { cpuMillis, memoryBytes, volumeBytes } = LARGEST;
      yield* within(unit.at('resources', 'cpu'), parseCpuMillis, cpuMillis, '1024 cores');
      yield* within(unit.at('resources', 'memory'), parseBytes, memoryBytes, '64Ti');
      for (const volume of unit.each('volumes'))
        yield* within(volume.at('size'), parseBytes, volumeBytes, '1024Ti');
      for (const probe of unit.at('probes').values()) {
        yield* within(probe.at('every'), parseSeconds, LARGEST.seconds, '366d');
        yield* seldom(probe.at('every'));
        yield* within(probe.at('timeout'), parseSeconds, LARGEST.seconds, '366d');
      }
    }
    for (const at of [
      doc.at('offline', 'stopAfter'),
      doc.at('healing', 'lostAfter'),
      doc.at('healing', 'restart', 'within'),
      doc.at('run', 'startWithin'),
      doc.at('run', 'timeLimit'),
    ])
      yield* within(at, parseSeconds, LARGEST.seconds, '366d');
  },
};

/** Every probe costs the host: those of one careless function must not take a gateway's CPU from all others. */
const SHORTEST_PROBE_SECONDS = 0.1;

function* seldom(at: Cursor): Iterable<RuleFinding> {
  const seconds = (at.exists ? parseSeconds(at.value) : undefined) ?? Infinity;
  if (seconds === 0 || seconds >= SHORTEST_PROBE_SECONDS) return;
  yield { at, message: `${String(at.value)} is too often`, remedy: 'choose at least 100ms' };
}

function* within(
  at: Cursor,
  parse: (value: unknown) => number | undefined,
  largest: number,
  largestText: string,
): Iterable<RuleFinding> {
  const amount = at.exists ? parse(at.value) : undefined;
  if (amount === undefined || (amount > 0 && amount <= largest)) return;
  const problem = amount > 0 ? 'is more than any host has' : 'is nothing';
  yield {
    at,
    message: `${String(at.value)} ${problem}`,
    remedy: `choose more than zero and at most ${largestText}`,
  };
}
