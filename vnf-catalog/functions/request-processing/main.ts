import { randomBytes } from 'node:crypto';
import { systemClock } from '../../../kernel/index.ts';
import {
  BrokerLink,
  readConfig,
  requiredService,
  RSC,
  runFunction,
  SUBJECT,
  type FunctionBindings,
  type RequestPrimitive,
  type ResponsePrimitive,
} from '../../shared/index.ts';
import { RequestProcessor } from './process-request.ts';
import { ServiceDesk, type ServiceTerms } from './service-desk.ts';
import { createNeighbours } from './storage-client.ts';
import type { ProcessingSettings } from './workbench.ts';

const QUEUE = 'request-processing';
/** Nothing was done: whoever received the request sends it again, and the queue group has other instances. */
const HANDED_BACK: ResponsePrimitive = {
  rsc: RSC.targetNotReachable,
  pc: { 'm2m:dbg': 'this instance has no room now' },
  retry: true,
};

interface Settings extends ProcessingSettings, ServiceTerms {
  readonly storageTimeoutMilliseconds: number;
}

function settingsOf(bindings: FunctionBindings): Settings {
  const config = readConfig(bindings.config);
  return {
    cseId: config.text('cseId', '/id-in'),
    cseName: config.text('cseName', 'cse-in'),
    adminOriginator: config.text('adminOriginator', 'CAdmin'),
    registration: config.texts('registration', ['C*', 'S*', '']),
    listLimit: config.number('listLimit', 1000),
    storageTimeoutMilliseconds: config.number('storageTimeoutMilliseconds', 5000),
    serviceMilliseconds: config.number('serviceMilliseconds', 0),
    concurrency: config.number('concurrency', 0),
    queueMilliseconds: config.number('queueMilliseconds', 1500),
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
  const handedBack = metrics.counter('requests_handed_back_total', 'Requests that found no place in time.');
  const desk = new ServiceDesk(() => settings, systemClock);
  metrics.gauge('queue_depth', 'Requests under way, waiting ones included.', () => desk.underWay);
  metrics.gauge(
    'declared_service_seconds',
    'Least time that a request is made to take; 0: none is declared.',
    () => settings.serviceMilliseconds / 1000,
  );
  metrics.gauge(
    'declared_concurrency',
    'Most requests worked on at once; 0: no limit is declared.',
    () => settings.concurrency,
  );

  let end: (() => Promise<void>) | undefined;
  link.start(signal, () => {
    end = link.serve(SUBJECT.request, QUEUE, (message, respond) => {
      const started = performance.now();
      void desk
        .serve(() => processor.process(message.json<RequestPrimitive>()))
        .then((response) => {
          if (response === undefined) handedBack.add();
          else {
            answered.add({ rsc: String(response.rsc) });
            seconds.observe((performance.now() - started) / 1000);
          }
          respond(JSON.stringify(response ?? HANDED_BACK));
        });
    });
  });

  return {
    notReady: () => (link.isConnected ? undefined : 'not connected to the message broker'),
    reload: async (current) => {
      settings = settingsOf(current);
      desk.refresh();
      await link.rebind(requiredService(current, 'broker'));
    },
    stop: async () => {
      desk.close();
      await end?.();
      while (desk.underWay > 0) await systemClock.sleep(10);
      await link.close();
    },
  };
});
