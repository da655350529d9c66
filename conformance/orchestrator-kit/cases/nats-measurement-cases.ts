import { randomInt } from 'node:crypto';
import { comesToPass } from '../comes-to-pass.ts';
import { METRIC, pointAt } from '../measurements.ts';
import type { OrchestratorCase } from '../stage.ts';

const NATS_ONLY = { bindings: ['nats'] } as const;
/** In which an orchestrator that was started again has to have what it had. */
const KEPT_SECONDS = 10;

/** Measurements go into a stream, and come out with a receipt. */
export const natsMeasurementCases: readonly OrchestratorCase[] = [
  {
    id: 'receipt-comes-again-with-the-heartbeat',
    title: 'The answer to a heartbeat names the newest receipt for measurements of its boot.',
    requirements: ['MCO-M-024'],
    ...NATS_ONLY,
    async play(stage, { check }) {
      const host = await stage.readyHost();
      for (const sequence of [1, 2]) {
        await host.expect(200, 'postMeasurements', {
          sequence,
          body: { points: [pointAt(stage.clock.now(), 1)], dropped: 0 },
        });
        const { headers } = await host.send('getWanted', { query: { since: '0' } });
        check(
          'MCO-M-024',
          headers['mco-receipt'] === String(sequence + 1),
          `after batch ${sequence} the header Mco-Receipt is ${String(headers['mco-receipt'])}`,
        );
      }
    },
  },
  {
    id: 'receipted-measurements-outlive-the-leader',
    title:
      'Measurements are receipted once the stream has them, and an orchestrator that was killed after its receipt has them when it is started again.',
    requirements: ['MCO-M-023'],
    needs: ['restart', 'measurement'],
    ...NATS_ONLY,
    async play(stage, { check }) {
      const host = await stage.readyHost();
      const value = randomInt(1_000_000, 9_000_000);
      await host.expect(200, 'postMeasurements', {
        sequence: 1,
        body: { points: [pointAt(stage.clock.now(), value)], dropped: 0 },
      });
      await stage.operator.do('restart');
      const isThere = await comesToPass(
        stage,
        async () => (await stage.operator.do('measurement', host.hostId, METRIC)).includes(String(value)),
        KEPT_SECONDS,
      );
      check('MCO-M-023', isThere, 'what was receipted before is not there after it was killed and started');
    },
  },
];
