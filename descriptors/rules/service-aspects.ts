import type { Cursor } from '../document/cursor.ts';
import { SERVICE, type Rule, type RuleFinding } from './rule.ts';

export const levelsDoNotRise: Rule = {
  name: 'levels-do-not-rise',
  summary:
    'The levels of an aspect of a service name the same constituents, and each has more of one than the level below it, and less of none.',
  kinds: SERVICE,
  *check(doc) {
    for (const aspect of doc.each('aspects')) {
      const levels = aspect.at('levels').items();
      for (const [index, level] of levels.entries()) {
        const below = levels[index - 1];
        if (below !== undefined) yield* notAbove(level, below);
      }
    }
  },
};

function* notAbove(level: Cursor, below: Cursor): Iterable<RuleFinding> {
  const names = new Set([...below.keys(), ...level.keys()]);
  const missing = [...names].find((name) => !level.at(name).exists || !below.at(name).exists);
  if (missing !== undefined) {
    const message = `\`${missing}\` is in one of two levels and not in the other`;
    yield { at: level, message, remedy: 'name the same constituents in each level' };
    return;
  }
  const steps = [...names].map((name) => ({
    at: level.at(name),
    rise: (level.at(name).number ?? 0) - (below.at(name).number ?? 0),
  }));
  const fall = steps.find(({ rise }) => rise < 0);
  if (fall !== undefined)
    yield {
      at: fall.at,
      message: `${String(fall.at.value)} is less than in the level below`,
      remedy: 'write the levels in rising order',
    };
  else if (steps.every(({ rise }) => rise === 0))
    yield { at: level, message: 'this level is the same as the one below', remedy: 'leave one of them out' };
}

export const aspectOrderIncomplete: Rule = {
  name: 'aspect-order-incomplete',
  summary: 'The `order` of an aspect of a service names each constituent that the aspect scales, once.',
  kinds: SERVICE,
  *check(doc) {
    for (const aspect of doc.each('aspects')) {
      const order = aspect.at('order');
      if (!order.exists) continue;
      const scaled = new Set(aspect.each('levels').flatMap((level) => level.keys()));
      const named = order.items().flatMap(({ text }) => text ?? []);
      const missing = [...scaled].find((name) => !named.includes(name));
      const spare = named.find((name, index) => !scaled.has(name) || named.indexOf(name) !== index);
      if (missing !== undefined)
        yield { at: order, message: `\`${missing}\` is not in it`, remedy: 'name all that the levels name' };
      if (spare !== undefined)
        yield {
          at: order,
          message: `\`${spare}\` is there twice, or in no level`,
          remedy: 'name each constituent of the levels once',
        };
    }
  },
};
