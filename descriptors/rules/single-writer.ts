import type { Cursor } from '../document/cursor.ts';
import { parseSeconds } from '../../kernel/index.ts';
import { FUNCTION, type Rule, type RuleFinding } from './rule.ts';

export const singleWriterNeedsFence: Rule = {
  name: 'single-writer-needs-fence',
  summary:
    'A function with a single writer (a kept volume implies it) has at most one instance, an upgrade strategy that never runs two (`recreate`), and either stays on its host or stops there (`stop-after`) before it is given up (`lostAfter`).',
  kinds: FUNCTION,
  *check(doc) {
    const kept = doc.each('units', 'volumes').find((volume) => volume.at('keep').value === true);
    const writers = doc.at('state', 'writers');
    if (writers.text === 'many' && kept !== undefined)
      yield {
        at: writers,
        message: 'a kept volume has a single writer, never many',
        remedy: 'write `single`, or do not keep the volume',
      };
    if (writers.text !== 'single' && kept === undefined) return;
    yield* severalInstances(doc);
    yield* upgradeThatOverlaps(doc);
    yield* relocationWithoutFence(doc);
  },
};

function* severalInstances(doc: Cursor): Iterable<RuleFinding> {
  const counts = doc.each('flavours', 'levels').flatMap((level) => level.at('instances').entries());
  for (const [unit, at] of counts)
    if ((at.number ?? 0) > 1)
      yield {
        at,
        message: `${at.number ?? 0} instances of \`${unit}\`, but it has a single writer`,
        remedy: 'choose 1',
      };
  for (const max of doc.each('scaling').map((aspect) => aspect.at('max')))
    if ((max.number ?? 0) > 1)
      yield {
        at: max,
        message: 'the aspect scales beyond one instance, but there is a single writer',
        remedy: 'choose 1, or remove the aspect',
      };
}

function* upgradeThatOverlaps(doc: Cursor): Iterable<RuleFinding> {
  const strategy = doc.at('upgrade', 'strategy');
  if (strategy.text !== undefined && strategy.text !== 'recreate')
    yield {
      at: strategy,
      message: `an upgrade with \`${strategy.text}\` runs two at once, but there is a single writer`,
      remedy: 'choose `recreate`',
    };
}

function* relocationWithoutFence(doc: Cursor): Iterable<RuleFinding> {
  if (doc.at('offline', 'relocate').text === 'forbidden') return;
  const lostAfter = parseSeconds(doc.at('healing', 'lostAfter').value);
  const stopAfter = doc.at('offline', 'stopAfter');
  const stopAfterSeconds = parseSeconds(stopAfter.value);
  const remedy =
    'set `onDisconnect: stop-after` with a `stopAfter` shorter than `healing.lostAfter`, or `relocate: forbidden`';
  if (doc.at('offline', 'onDisconnect').text !== 'stop-after')
    yield {
      at: doc.at('offline'),
      message: 'a single writer that may be placed elsewhere runs on where it was',
      remedy,
    };
  else if (stopAfterSeconds !== undefined && lostAfter !== undefined && stopAfterSeconds >= lostAfter)
    yield {
      at: stopAfter,
      message: `it is given up after ${lostAfter} s, before it stops after ${stopAfterSeconds} s`,
      remedy,
    };
}

export const stopAfterIncomplete: Rule = {
  name: 'stop-after-incomplete',
  summary: '`onDisconnect: stop-after` says after how long, and nothing else does.',
  kinds: FUNCTION,
  *check(doc) {
    const onDisconnect = doc.at('offline', 'onDisconnect');
    const stopAfter = doc.at('offline', 'stopAfter');
    if (onDisconnect.text === 'stop-after' && !stopAfter.exists)
      yield {
        at: onDisconnect,
        message: '`stop-after` does not say after how long',
        remedy: 'add `stopAfter`, e.g. `stopAfter: 8s`',
      };
    if (onDisconnect.text === 'keep' && stopAfter.exists)
      yield {
        at: stopAfter,
        message: '`stopAfter` has no effect with `onDisconnect: keep`',
        remedy: 'set `onDisconnect: stop-after`, or remove it',
      };
  },
};
