import { validRange } from 'semver';
import type { Cursor } from '../document/cursor.ts';
import { findCycle } from './find-cycle.ts';
import { SERVICE, type Rule } from './rule.ts';

export const invalidVersionRange: Rule = {
  name: 'invalid-version-range',
  summary: 'The version of a constituent is a range of semantic versions.',
  kinds: SERVICE,
  *check(doc) {
    for (const at of doc.each('functions').map((item) => item.at('version'))) {
      if (at.text === undefined || at.text.length > 100 || validRange(at.text) !== null) continue;
      yield {
        at,
        message: `\`${at.text}\` is not a range of versions`,
        remedy: 'write e.g. `^1.0.0`, `~1.2.0` or `>=1.0.0 <3.0.0`',
      };
    }
  },
};

export const bindingCycle: Rule = {
  name: 'binding-cycle',
  summary: 'No constituent requires, through others, itself: there would be no order to start them in.',
  kinds: SERVICE,
  *check(doc) {
    const edges = new Map<string, readonly string[]>();
    const places = new Map<string, Cursor>();
    for (const item of doc.each('functions')) {
      const name = item.at('name').text;
      if (name === undefined) continue;
      const targets = item
        .at('bind')
        .values()
        .flatMap(({ text }) => text ?? []);
      edges.set(name, targets);
      places.set(name, item.at('bind'));
    }
    const cycle = findCycle(edges);
    const at = places.get(cycle?.[0] ?? '');
    if (cycle === undefined || at === undefined) return;
    yield {
      at,
      message: `the bindings go in a circle: ${cycle.join(' → ')}`,
      remedy: 'remove one of these bindings',
    };
  },
};
