import { FUNCTION, type Rule } from './rule.ts';

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
