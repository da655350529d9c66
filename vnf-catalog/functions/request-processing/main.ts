import { randomBytes } from 'node:crypto';
import { systemClock } from '../../../kernel/index.ts';
import {
  BrokerLink,
  readConfig,
  requiredService,
  runFunction,
  SUBJECT,
  type FunctionBindings,
  type RequestPrimitive,
} from '../../shared/index.ts';
import { RequestProcessor } from './process-request.ts';
import { createNeighbours } from './storage-client.ts';
import type { ProcessingSettings } from './workbench.ts';

const QUEUE = 'request-processing';

function settingsOf(
  bindings: FunctionBindings,
): ProcessingSettings & { readonly storageTimeoutMilliseconds: number } {
  const config = readConfig(bindings.config);
  return {
    cseId: config.text('cseId', '/id-in'),
    cseName: config.text('cseName', 'cse-in'),
    adminOriginator: config.text('adminOriginator', 'CAdmin'),
    registration: config.texts('registration', ['C*', 'S*', '']),
    listLimit: config.number('listLimit', 1000),
    storageTimeoutMilliseconds: config.number('storageTimeoutMilliseconds', 5000),
  };
}

await runFunction('request-processing', async ({ bindings, instance, metrics, log, signal }) => {
  let settings = settingsOf(bindings);
  const link = new BrokerLink(instance, requiredService(bindings, 'broker'), (event) =>
    log.info({ event }, 'broker'),
  );
  const neighbours = createNeighbours(link, () => settings.storageTimeoutMilliseconds);
  const processor = new RequestProcessor(
    neighbours,
    () => settings,
    () => randomBytes(8).toString('hex'),
  );
  const answered = metrics.counter('requests_total', 'Requests answered, by response status code.');
  const seconds = metrics.histogram('request_seconds', 'Time from request to answer.');
  const load = { underWay: 0 };
  metrics.gauge('queue_depth', 'Requests under way.', () => load.underWay);

  let end: (() => Promise<void>) | undefined;
  link.start(signal, () => {
    end = link.serve(SUBJECT.request, QUEUE, (message, respond) => {
      const started = performance.now();
      load.underWay += 1;
      void processor.process(message.json<RequestPrimitive>()).then((response) => {
        load.underWay -= 1;
        answered.add({ rsc: String(response.rsc) });
        seconds.observe((performance.now() - started) / 1000);
        respond(JSON.stringify(response));
      });
    });
  });

  return {
    notReady: () => (link.isConnected ? undefined : 'not connected to the message broker'),
    reload: async (current) => {
      settings = settingsOf(current);
      await link.rebind(requiredService(current, 'broker'));
    },
    stop: async () => {
      await end?.();
      while (load.underWay > 0) await systemClock.sleep(10);
      await link.close();
    },
  };
});
