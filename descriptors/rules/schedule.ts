import type { Cursor } from '../document/cursor.ts';
import { FUNCTION, type Rule, type RuleFinding } from './rule.ts';

function isScheduled(doc: Cursor): boolean {
  return doc.at('run', 'mode').text === 'schedule';
}

export const scheduleIncomplete: Rule = {
  name: 'schedule-incomplete',
  summary:
    '`run.mode: schedule` says when (`cron`), what belongs to a schedule comes with it alone, and `atMost` with `concurrency: allow`.',
  kinds: FUNCTION,
  *check(doc) {
    const run = doc.at('run');
    if (isScheduled(doc) && !run.at('cron').exists)
      yield {
        at: run.at('mode'),
        message: '`schedule` does not say when',
        remedy: 'add `cron`, e.g. `cron: "0 3 * * *"`',
      };
    for (const [name, at] of isScheduled(doc) ? [] : run.entries())
      if (name !== 'mode')
        yield {
          at,
          isAtKey: true,
          message: `\`${name}\` has no effect without \`mode: schedule\``,
          remedy: 'set `mode: schedule`, or leave it out',
        };
    const atMost = run.at('atMost');
    if (isScheduled(doc) && atMost.exists && run.at('concurrency').text !== 'allow')
      yield {
        at: atMost,
        isAtKey: true,
        message: '`atMost` has no effect without `concurrency: allow`',
        remedy: 'set `concurrency: allow`, or leave it out',
      };
  },
};

export const scheduleOverlaps: Rule = {
  name: 'schedule-overlaps',
  summary:
    'Runs of a schedule that may overlap (`concurrency: allow`) have neither a single writer (a kept volume implies it) nor a fixed port; two versions never have the schedule at once (`upgrade.strategy: recreate`).',
  kinds: FUNCTION,
  *check(doc) {
    if (!isScheduled(doc)) return;
    const strategy = doc.at('upgrade', 'strategy');
    const concurrency = doc.at('run', 'concurrency');
    if (strategy.text !== undefined && strategy.text !== 'recreate')
      yield {
        at: strategy,
        message: `an upgrade with \`${strategy.text}\` has two versions at once, and each would start its runs`,
        remedy: 'choose `recreate`, or leave it out',
      };
    if (concurrency.text !== 'allow') return;
    const kept = doc.each('units', 'volumes').some((volume) => volume.at('keep').value === true);
    const fixed = doc.each('units', 'ports').find((port) => port.at('number').exists);
    const remedy = 'choose `forbid` or `replace`';
    if (kept || doc.at('state', 'writers').text === 'single')
      yield { at: concurrency, message: 'runs may overlap, but there is a single writer', remedy };
    if (fixed !== undefined)
      yield {
        at: concurrency,
        message: `runs may overlap, but port \`${fixed.at('name').text ?? ''}\` is there once only`,
        remedy: `${remedy}, or let the host choose the port`,
      };
  },
};

export const scheduleServes: Rule = {
  name: 'schedule-serves',
  summary:
    'A function of mode `schedule`, which is away between its runs, provides nothing, has no probes, no scaling policy, and no upgrade that compares or waits for one that serves.',
  kinds: FUNCTION,
  *check(doc) {
    if (!isScheduled(doc)) return;
    for (const provision of doc.each('provides'))
      yield {
        at: provision,
        message: `\`${provision.at('capability').text ?? ''}\` is provided during runs only`,
        remedy: 'leave it out, or choose `mode: service`',
      };
    for (const probe of doc.each('units').flatMap((unit) => unit.at('probes').values())) yield probeOf(probe);
    for (const policy of doc.each('scaling').map((aspect) => aspect.at('policy')))
      if (policy.exists)
        yield {
          at: policy,
          isAtKey: true,
          message: 'a policy cannot follow what is there during runs only',
          remedy:
            'leave the policy out; the aspect is scaled by hand, and says how many instances each run has',
        };
    const compare = doc.at('upgrade', 'compare');
    if (compare.items().length > 0)
      yield {
        at: compare,
        isAtKey: true,
        message: 'versions cannot be compared that run now and then',
        remedy: 'leave `compare` out',
      };
  },
};

function probeOf(at: Cursor): RuleFinding {
  return {
    at,
    isAtKey: true,
    message: 'a run is judged by how it ends, not by a probe',
    remedy: 'leave the probe out; `run.timeLimit` ends a run that hangs',
  };
}

export const unknownPause: Rule = {
  name: 'unknown-pause',
  summary: '`run.pausedBy` names a boolean parameter of `config` that applies by `reload`.',
  kinds: FUNCTION,
  *check(doc) {
    const at = doc.at('run', 'pausedBy');
    if (!isScheduled(doc) || at.text === undefined) return;
    const parameter = doc.at('config', 'properties', at.text);
    const remedy = `add \`config.properties.${at.text}: { type: boolean, default: false }\` and \`config.apply.${at.text}: reload\``;
    if (!parameter.exists) yield { at, message: `there is no parameter \`${at.text}\``, remedy };
    else if (parameter.at('type').text !== 'boolean')
      yield { at, message: `the parameter \`${at.text}\` is not a boolean`, remedy };
    else if (doc.at('config', 'apply', at.text).text !== 'reload')
      yield { at, message: `a change of \`${at.text}\` does not apply by \`reload\``, remedy };
  },
};
