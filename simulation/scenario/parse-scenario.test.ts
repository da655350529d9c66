import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { Fault } from '../../descriptors/index.ts';
import { parseScenario } from './parse-scenario.ts';

const FUNCTIONS = new URL('../scenarios/', import.meta.url);

const GOOD = `apiVersion: iotmano/v1
kind: Simulation
name: small
seed: 1
duration: 1h
hosts:
  - { name: gw, count: 4, tier: device-edge, cpu: '1', memory: 1Gi }
functions:
  - { name: air, file: functions/air-quality.yaml }
  - { name: metering, file: functions/metering.yaml }
events:
  - { type: deploy, function: air, coverage: group = gw }
`;

function readFile(path: string): string {
  if (path === 'curve.csv') return 'timestamp,value\n2030-01-01 00:00:00,10\n2030-01-01 00:30:00,ten\n';
  return readFileSync(new URL(path, FUNCTIONS), 'utf8');
}

function told(text: string): readonly string[] {
  const { scenario, faults } = parseScenario(text, { file: 'small.yaml', readFile });
  expect(scenario).toBeUndefined();
  return faults.map(
    ({ file, line, column, rule, message, remedy }: Fault) =>
      `${file}:${line}:${column} ${rule}: ${message}: ${remedy}`,
  );
}

it('reads a scenario, with its quantities in plain units and its defaults', () => {
  const { scenario, faults } = parseScenario(GOOD, { file: 'small.yaml', readFile });
  expect(faults).toEqual([]);
  expect(scenario).toMatchObject({ durationSeconds: 3600, sampleEverySeconds: 900, lookEverySeconds: 5 });
  expect(scenario?.hosts[0]).toMatchObject({
    cpuMillis: 1000,
    memoryBytes: 2 ** 30,
    zones: 1,
    startSeconds: 2,
  });
  expect(scenario?.events[0]).toMatchObject({ atSeconds: 0, times: 1, coverage: { text: 'group = gw' } });
});

const EVENT = '  - { type: deploy, function: air, coverage: group = gw }\n';

it.each([
  [
    'a property that is not there',
    GOOD.replace('seed: 1', 'seed: 1\nseeds: 2'),
    'small.yaml:5:1 schema/additionalProperties: `seeds` is not a property of the scenario: allowed: `apiVersion`, `kind`, `name`, `description`, `seed`, `duration`, `sampleEvery`, `lookEvery`, `retryEvery`, `hosts`, `functions`, `services` or `events`. Did you mean `seed`?',
  ],
  [
    'a property that is missing',
    GOOD.replace('duration: 1h\n', ''),
    'small.yaml:1:1 schema/required: the scenario has no `duration`: add it, e.g. `duration: "6h"`. Virtual time that is played.',
  ],
  [
    'a duration without a unit',
    GOOD.replace('duration: 1h', "duration: '60'"),
    'small.yaml:5:11 schema/pattern: `duration` is "60": A number and a unit: ms, s, m, h or d. Example: "10m".',
  ],
  [
    'an event of no type',
    GOOD.replace('type: deploy', 'type: deplay'),
    'small.yaml:12:13 schema/discriminator: the `type` of `events/0` is "deplay": allowed: `deploy`, `terminate`, `scale`, `follow`, `burst`, `deployService`, `terminateService`, `burstService`, `fail`, `return` or `drain`. Did you mean `deploy`?',
  ],
  [
    'a function that nobody knows',
    GOOD.replace('function: air', 'function: aire'),
    'small.yaml:12:31 unknown-function: `aire` is not one of `functions`: known: `air` or `metering`. Did you mean `air`?',
  ],
  [
    'an aspect that the function does not have',
    GOOD.replace(EVENT, '  - { type: scale, function: metering, aspect: reader, to: 5 }\n'),
    'small.yaml:12:48 unknown-aspect: `reader` is not something that can be scaled of metering: known: `readers`. Did you mean `readers`?',
  ],
  [
    'more steps than an aspect has',
    GOOD.replace(EVENT, '  - { type: scale, function: metering, to: 5000 }\n'),
    'small.yaml:12:44 beyond-aspect: 5000 steps are beyond the aspect readers: it goes from 1 to 200',
  ],
  [
    'a repetition without an interval',
    GOOD.replace(EVENT, '  - { type: drain, hosts: group = gw, times: 3 }\n'),
    'small.yaml:12:46 no-interval: the event happens 3 times, and nothing says how often: add `every`, e.g. `every: 10m`, or leave `times` out',
  ],
  [
    'a file that is not there',
    GOOD.replace('functions/air-quality.yaml', 'functions/none.yaml').replace(/the file .*/, ''),
    'small.yaml:9:24 unreadable-file: ',
  ],
  [
    'a demand curve with a line that is none',
    GOOD.replace(EVENT, '  - { type: follow, function: metering, file: curve.csv, valuePerStep: 1 }\n'),
    'small.yaml:12:47 demand-curve: line 3 of curve.csv is "2030-01-01 00:30:00,ten": each line holds a time and a value, in order of time, e.g. `2030-01-01 00:30:00,8127`, after the line `timestamp,value`',
  ],
  [
    'two groups of one name',
    GOOD.replace(
      'functions:\n',
      '  - { name: gw, count: 1, tier: cloud, cpu: 1, memory: 1Gi }\nfunctions:\n',
    ),
    'small.yaml:8:13 name-twice: the name gw is there twice: give each its own name',
  ],
  [
    'a service that nobody knows',
    GOOD.replace(EVENT, '  - { type: deployService, service: events }\n'),
    'small.yaml:12:37 unknown-service: `events` is not one of `services`: ',
  ],
  [
    'a service whose functions are not there',
    `${GOOD}services:\n  - { name: events, file: services/events.yaml }\n`,
    'small.yaml:14:27 unknown-function: no function `urn:iotmano:simulation:event-broker` is onboarded (services/events.yaml:16:31): onboard a package of it first, or correct the name',
  ],
  [
    'a service that is a function',
    `${GOOD}services:\n  - { name: events, file: functions/metering.yaml }\n`,
    'small.yaml:14:27 descriptor-kind: the descriptor of events is a IoTFunctionDescriptor: name a descriptor of kind IoTServiceDescriptor',
  ],
  [
    'no time between samples',
    GOOD.replace('seed: 1', 'seed: 1\nsampleEvery: 0s'),
    'small.yaml:5:14 no-time: `sampleEvery` is no time at all: give a duration above 0, e.g. `5s`',
  ],
])('says of %s where it is and what to do', (_, text, expected) => {
  const [first = ''] = told(text);
  expect(first.slice(0, expected.length)).toBe(expected);
});

it('reads services of its functions, and says what is wrong with their parameters', () => {
  const file = readFile('public-events.yaml');
  const { scenario, faults } = parseScenario(file, { file: 'events.yaml', readFile });
  expect(faults).toEqual([]);
  expect(scenario?.services[0]?.constituents.map(({ name }) => name)).toEqual([
    'broker',
    'archive',
    'analytics',
  ]);
  expect(scenario?.events[0]).toMatchObject({
    type: 'deployService',
    count: 60,
    parameters: { retentionDays: 30 },
  });
  const [wrong] = told(file.replace('retentionDays: 30 ', 'retentionDays: 3000 '));
  expect(wrong).toMatch(/^small\.yaml:27:\d+ schema\/maximum: `retentionDays` is 3000/);
});

it('says of an expression that cannot be read where it is', () => {
  const [first] = told(GOOD.replace('group = gw', 'group ='));
  expect(first).toMatch(/^small\.yaml:12:\d+ label-expression: /);
});

it('says of a descriptor in the scenario itself where it is wrong', () => {
  const inline =
    '  - { name: bad, descriptor: { apiVersion: iotmano/v1, kind: IoTFunctionDescriptor, metadatum: {} } }\n';
  const faults = told(GOOD.replace('events:\n', `${inline}events:\n`));
  expect(faults.some((fault) => /^small\.yaml:11:\d+ .*`metadatum` is not a property/.test(fault))).toBe(
    true,
  );
});
