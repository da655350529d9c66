import { pointAt } from '../measurements.ts';
import { told, type PlayedHost, type Schemas } from '../played-host.ts';
import type { OrchestratorCase } from '../stage.ts';
import { FOREIGN_KEY } from './report-cases.ts';

export const monitoringCases: readonly OrchestratorCase[] = [
  {
    id: 'host-is-asked-to-be-measured',
    title: 'The wanted state of a host has a collection job for the host itself.',
    requirements: ['MCO-M-002'],
    async play(stage, { check }) {
      const host = await stage.readyHost();
      const { collectionJobs } = await host.expect<Schemas['wanted']>(200, 'getWanted');
      const sources = collectionJobs.map(({ source }) => source);
      check('MCO-M-002', sources.includes('host'), `the jobs are ${JSON.stringify(sources)}`);
    },
  },
  {
    id: 'measurements-are-taken-once',
    title:
      'A batch of measurements that comes again is answered as the first time, and the next one is taken.',
    requirements: ['MCO-M-005'],
    async play(stage, judge) {
      const host = await stage.readyHost();
      for (const sequence of [1, 1, 2]) {
        const { status, receipt } = await measure(host, sequence, stage.clock.now());
        judge.check('MCO-M-005', status === 200, `batch ${sequence}: it was answered with ${status}`);
        judge.check(
          'MCO-M-005',
          status !== 200 || receipt.nextSequence === sequence + 1,
          `batch ${sequence}: nextSequence is ${String(receipt.nextSequence)}`,
        );
      }
    },
  },
  {
    id: 'gaps-in-measurements-and-alarms-are-taken',
    title: 'Measurements and alarms are taken though numbers are missing before them.',
    requirements: ['MCO-M-006'],
    async play(stage, { check }) {
      const host = await stage.readyHost();
      for (const sequence of [1, 5]) {
        const { status } = await measure(host, sequence, stage.clock.now());
        check('MCO-M-006', status === 200, `measurements ${sequence}: they were answered with ${status}`);
        const alarms = await host.send('postAlarms', { sequence, body: { alarms: [] } });
        check('MCO-M-006', alarms.status === 200, `alarms ${sequence}: ${told(alarms)}`);
      }
    },
  },
  {
    id: 'foreign-measurements-are-counted-as-ignored',
    title: 'Measurements of a function that was never assigned to the host are counted as ignored.',
    requirements: ['MCO-M-007'],
    async play(stage, judge) {
      const host = await stage.readyHost();
      const { status, receipt } = await measure(host, 1, stage.clock.now(), FOREIGN_KEY);
      judge.check(
        'MCO-M-007',
        status === 200 && receipt.ignored === 1,
        `it was answered with ${status}, ignored: ${String(receipt.ignored)}`,
      );
    },
  },
];

async function measure(
  host: PlayedHost,
  sequence: number,
  now: number,
  subject?: Schemas['subject'],
): Promise<{ readonly status: number; readonly receipt: Partial<Schemas['receipt']> }> {
  const point = { ...pointAt(now, 0.1), ...(subject === undefined ? {} : { subject }) };
  const { status, body } = await host.send('postMeasurements', {
    sequence,
    body: { points: [point], dropped: 0 },
  });
  return { status, receipt: body ?? {} };
}
