import type { Cursor } from '../document/cursor.ts';
import { unknownName } from '../document/wording.ts';
import { BOTH, FUNCTION, SERVICE, type Rule, type RuleFinding } from './rule.ts';
import { indicatorPlaces, policiesOf } from './scaling.ts';

export const duplicateName: Rule = {
  name: 'duplicate-name',
  summary:
    'Names are unique in their list: units, ports, volumes, flavours, levels, aspects, alarms, constituents.',
  kinds: BOTH,
  *check(doc) {
    for (const unit of doc.each('units')) {
      yield* duplicates(unit.at('ports'));
      yield* duplicates(unit.at('volumes'));
      yield* duplicates(unit.at('files'), 'path');
    }
    for (const flavour of doc.each('flavours')) yield* duplicates(flavour.at('levels'));
    yield* duplicates(doc.at('scaling'), 'aspect');
    for (const list of ['units', 'flavours', 'alarms', 'functions', 'aspects'])
      yield* duplicates(doc.at(list));
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
  *check(doc) {
    const units = doc.at('units').names();
    for (const item of doc.each('provides')) yield* unknown(item.at('unit'), units, 'a unit');
    for (const level of doc.each('flavours', 'levels'))
      yield* unknownKeys(level.at('instances'), units, 'a unit');
    for (const aspect of doc.each('scaling')) yield* unknownKeys(aspect.at('deltas'), units, 'a unit');
  },
};

export const unknownPort: Rule = {
  name: 'unknown-port',
  summary: '`provides` and `metrics` name ports of their unit.',
  kinds: FUNCTION,
  *check(doc) {
    const units = doc.each('units');
    for (const item of doc.each('provides')) {
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
  *check(doc) {
    for (const unit of doc.each('units')) {
      const ports = unit.each('ports');
      for (const probe of unit.at('probes').values()) {
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
  *check(doc) {
    const used = new Map<string, string>();
    for (const port of doc.each('units', 'ports')) {
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
  summary:
    'Scaling policies name indicators that a unit which they scale declares in `metrics`, alarms and `upgrade.compare` those of any unit.',
  kinds: FUNCTION,
  *check(doc) {
    const indicators = doc.each('units').flatMap((unit) => unit.at('metrics', 'indicators').names());
    for (const aspect of doc.each('scaling'))
      for (const place of policiesOf(aspect).flatMap(indicatorPlaces))
        yield* unknown(
          place.at('indicator'),
          indicatorsOf(doc, aspect),
          'an indicator of a unit that it scales',
        );
    for (const limit of doc.each('upgrade', 'compare'))
      yield* unknown(limit.at('indicator'), indicators, 'an indicator');
    for (const alarm of doc.each('alarms')) {
      const name = /^\w+/.exec(alarm.at('when').text ?? '')?.[0];
      if (name !== undefined && !indicators.includes(name))
        yield { at: alarm.at('when'), ...unknownName(name, indicators, 'an indicator') };
    }
  },
};

/** An aspect without deltas that could be read is told of elsewhere: then those of all units do. */
function indicatorsOf(doc: Cursor, aspect: Cursor): readonly string[] {
  const scaled = aspect.at('deltas').keys();
  const units = doc.each('units').filter((unit) => scaled.includes(unit.at('name').text ?? ''));
  return (units.length === 0 ? doc.each('units') : units).flatMap((unit) =>
    unit.at('metrics', 'indicators').names(),
  );
}

export const unknownConfig: Rule = {
  name: 'unknown-config',
  summary: '`config.apply`, `required` and `{{ config.NAME }}` name parameters of the function.',
  kinds: FUNCTION,
  *check(doc) {
    const parameters = doc.at('config', 'properties').keys();
    yield* unknownKeys(doc.at('config', 'apply'), parameters, 'a parameter');
    for (const at of doc.at('config').each('required')) yield* unknown(at, parameters, 'a parameter');
  },
};

export const unknownConstituent: Rule = {
  name: 'unknown-constituent',
  summary: '`bind`, `placement` and `aspects` of a service name its constituents.',
  kinds: SERVICE,
  *check(doc) {
    const names = doc.at('functions').names();
    const references = [
      ...doc.each('functions').flatMap((constituent) => constituent.at('bind').values()),
      ...doc.each('placement', 'together'),
      ...doc.each('placement', 'apart'),
    ];
    for (const at of references) yield* unknown(at, names, 'a constituent');
    for (const level of doc.each('aspects', 'levels')) yield* unknownKeys(level, names, 'a constituent');
    for (const at of doc.each('aspects', 'order')) yield* unknown(at, names, 'a constituent');
  },
};

function* unknown(at: Cursor, names: readonly string[], what: string): Iterable<RuleFinding> {
  if (at.text !== undefined && !names.includes(at.text)) yield { at, ...unknownName(at.text, names, what) };
}

function* unknownKeys(at: Cursor, names: readonly string[], what: string): Iterable<RuleFinding> {
  for (const [key, child] of at.entries())
    if (!names.includes(key)) yield { at: child, isAtKey: true, ...unknownName(key, names, what) };
}
