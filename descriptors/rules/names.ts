import type { Cursor } from '../document/cursor.ts';
import { didYouMean, listed } from '../document/nearest.ts';
import { BOTH, FUNCTION, SERVICE, type Rule, type RuleFinding } from './rule.ts';

export const duplicateName: Rule = {
  name: 'duplicate-name',
  summary:
    'Names are unique in their list: units, ports, volumes, flavours, levels, aspects, alarms, constituents.',
  kinds: BOTH,
  severity: 'error',
  *check(doc) {
    const units = doc.at('units').items();
    const flavours = doc.at('flavours').items();
    yield* duplicates(doc.at('units'));
    for (const unit of units) {
      yield* duplicates(unit.at('ports'));
      yield* duplicates(unit.at('volumes'));
      yield* duplicates(unit.at('files'), 'path');
    }
    yield* duplicates(doc.at('flavours'));
    for (const flavour of flavours) yield* duplicates(flavour.at('levels'));
    yield* duplicates(doc.at('scaling'), 'aspect');
    yield* duplicates(doc.at('alarms'));
    yield* duplicates(doc.at('functions'));
    yield* duplicates(doc.at('aspects'));
  },
};

function* duplicates(list: Cursor, property = 'name'): Iterable<RuleFinding> {
  const seen = new Set<string>();
  for (const item of list.items()) {
    const name = item.at(property).text;
    if (name === undefined) continue;
    if (seen.has(name))
      yield { at: item.at(property), message: `\`${name}\` is there already`, remedy: 'choose another name' };
    seen.add(name);
  }
}

export const unknownUnit: Rule = {
  name: 'unknown-unit',
  summary: '`provides`, flavour levels and scaling deltas name units of the function.',
  kinds: FUNCTION,
  severity: 'error',
  *check(doc) {
    const units = doc.at('units').names();
    for (const item of doc.at('provides').items()) yield* unknown(item.at('unit'), units, 'a unit');
    const levels = doc
      .at('flavours')
      .items()
      .flatMap((flavour) => flavour.at('levels').items());
    for (const level of levels) yield* unknownKeys(level.at('instances'), units, 'a unit');
    for (const aspect of doc.at('scaling').items()) yield* unknownKeys(aspect.at('deltas'), units, 'a unit');
  },
};

export const unknownPort: Rule = {
  name: 'unknown-port',
  summary: '`provides` and `metrics` name ports of their unit.',
  kinds: FUNCTION,
  severity: 'error',
  *check(doc) {
    const units = doc.at('units').items();
    for (const item of doc.at('provides').items()) {
      const unit = units.find((candidate) => candidate.at('name').text === item.at('unit').text);
      if (unit !== undefined) yield* unknown(item.at('port'), unit.at('ports').names(), 'a port of its unit');
    }
    for (const unit of units)
      yield* unknown(unit.at('metrics', 'port'), unit.at('ports').names(), 'a port of its unit');
  },
};

export const probeOnMissingPort: Rule = {
  name: 'probe-on-missing-port',
  summary: 'A probe asks at a port of its unit, and over TCP.',
  kinds: FUNCTION,
  severity: 'error',
  *check(doc) {
    for (const unit of doc.at('units').items()) {
      const ports = unit.at('ports').items();
      for (const [, probe] of unit.at('probes').entries()) {
        for (const at of [probe.at('http', 'port'), probe.at('tcp', 'port')]) {
          yield* unknown(at, unit.at('ports').names(), 'a port of its unit');
          const port = ports.find((candidate) => at.exists && candidate.at('name').text === at.text);
          if (port?.at('protocol').text === 'udp')
            yield {
              at,
              message: `the port \`${at.text ?? ''}\` is a UDP port`,
              remedy: 'probe a TCP port, or use `exec`',
            };
        }
      }
    }
  },
};

export const portUsedTwice: Rule = {
  name: 'port-used-twice',
  summary: 'A fixed port number is used once per protocol.',
  kinds: FUNCTION,
  severity: 'error',
  *check(doc) {
    const used = new Map<string, string>();
    for (const port of doc
      .at('units')
      .items()
      .flatMap((unit) => unit.at('ports').items())) {
      const number = port.at('number').number;
      if (number === undefined) continue;
      const key = `${String(port.at('protocol').value)} ${number}`;
      const other = used.get(key);
      if (other !== undefined)
        yield {
          at: port.at('number'),
          message: `${key} is used by \`${other}\` already`,
          remedy: 'choose another number, or leave it to the host',
        };
      used.set(key, port.at('name').text ?? '');
    }
  },
};

export const unknownIndicator: Rule = {
  name: 'unknown-indicator',
  summary: 'Scaling policies and alarms name indicators that a unit declares in `metrics`.',
  kinds: FUNCTION,
  severity: 'error',
  *check(doc) {
    const indicators = doc
      .at('units')
      .items()
      .flatMap((unit) => unit.at('metrics', 'indicators').names());
    for (const aspect of doc.at('scaling').items())
      yield* unknown(aspect.at('policy', 'indicator'), indicators, 'an indicator');
    for (const alarm of doc.at('alarms').items()) {
      const name = /^\w+/.exec(alarm.at('when').text ?? '')?.[0];
      if (name !== undefined && !indicators.includes(name))
        yield unknownName(alarm.at('when'), name, indicators, 'an indicator');
    }
  },
};

export const unknownConfig: Rule = {
  name: 'unknown-config',
  summary: '`config.apply`, `required` and `{{ config.NAME }}` name parameters of the function.',
  kinds: FUNCTION,
  severity: 'error',
  *check(doc) {
    const parameters = doc.at('config', 'properties').keys();
    yield* unknownKeys(doc.at('config', 'apply'), parameters, 'a parameter');
    for (const at of doc.at('config', 'required').items()) yield* unknown(at, parameters, 'a parameter');
  },
};

export const unknownConstituent: Rule = {
  name: 'unknown-constituent',
  summary: '`bind`, `placement` and `aspects` of a service name its constituents.',
  kinds: SERVICE,
  severity: 'error',
  *check(doc) {
    const names = doc.at('functions').names();
    const binds = doc
      .at('functions')
      .items()
      .flatMap((item) => item.at('bind').entries());
    const rules = doc.at('placement').items();
    const levels = doc
      .at('aspects')
      .items()
      .flatMap((aspect) => aspect.at('levels').items());
    for (const [, at] of binds) yield* unknown(at, names, 'a constituent');
    for (const at of rules.flatMap((rule) => [...rule.at('together').items(), ...rule.at('apart').items()]))
      yield* unknown(at, names, 'a constituent');
    for (const level of levels) yield* unknownKeys(level, names, 'a constituent');
  },
};

function* unknown(at: Cursor, names: readonly string[], what: string): Iterable<RuleFinding> {
  if (at.text !== undefined && !names.includes(at.text)) yield unknownName(at, at.text, names, what);
}

function* unknownKeys(at: Cursor, names: readonly string[], what: string): Iterable<RuleFinding> {
  for (const [key, child] of at.entries())
    if (!names.includes(key)) yield { ...unknownName(child, key, names, what), isAtKey: true };
}

function unknownName(at: Cursor, name: string, names: readonly string[], what: string): RuleFinding {
  const shown = name.slice(0, 80);
  return {
    at,
    message: `\`${shown}\` is not ${what}`,
    remedy: `known: ${listed(names)}.${didYouMean(name, names)}`,
  };
}
