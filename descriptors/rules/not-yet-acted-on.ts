import { FUNCTION, type Rule } from './rule.ts';

/** What is accepted and kept, but has no effect in this version. Only what a document gives itself is told, not a default. */
export const notYetActedOn: Rule = {
  name: 'not-yet-acted-on',
  summary: 'A warning: this part of the descriptor is accepted and kept, but has no effect in this version.',
  kinds: FUNCTION,
  severity: 'warning',
  *check(doc) {
    const lists = [doc.at('offline', 'prefetch')];
    const places = [doc.at('offline', 'buffer'), ...lists.filter((at) => at.items().length > 0)];
    for (const at of places) {
      if (!at.exists) continue;
      const name = at.pointer.slice(1).replaceAll('/', '.');
      yield {
        at,
        isAtKey: true,
        message: `\`${name}\` has no effect yet`,
        remedy: 'keep it for later versions, or leave it out',
      };
    }
  },
};
