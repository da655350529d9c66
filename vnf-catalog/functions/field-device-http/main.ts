import {
  BrokerLink,
  readConfig,
  requiredService,
  runFunction,
  SUBJECT,
  type FunctionBindings,
  type NotifyRequest,
} from '../../shared/index.ts';
import { parseCredentials } from './authentication.ts';
import { forward, type ForwardSettings } from './forward.ts';
import { serveMca, type McaSettings } from './mca-server.ts';
import { sendNotification } from './send-notification.ts';

const QUEUE = 'field-device-http';

function settingsOf(bindings: FunctionBindings): McaSettings & ForwardSettings {
  const config = readConfig(bindings.config);
  return {
    cseId: config.text('cseId', '/id-in'),
    credentials: parseCredentials(config.list('credentials')),
    maxBodyBytes: config.number('maxBodyBytes', 262_144),
    deadlineMilliseconds: Math.min(config.number('deadlineMilliseconds', 25_000), 30_000),
    attemptTimeoutMilliseconds: config.number('attemptTimeoutMilliseconds', 2_000),
  };
}

await runFunction('field-device-http', async ({ environment, bindings, instance, metrics, log, signal }) => {
  let settings = settingsOf(bindings);
  const link = new BrokerLink(instance, requiredService(bindings, 'broker'), (event) =>
    log.info({ event }, 'broker'),
  );
  const answered = metrics.counter('requests_total', 'Requests answered, by response status code.');
  const retried = metrics.counter('request_retries_total', 'Requests sent to request processing once more.');
  const notified = metrics.counter(
    'notifications_total',
    'Notifications sent, by whether the subscriber answered.',
  );
  const seconds = metrics.histogram('request_seconds', 'Time from request to answer.');

  const server = await serveMca(
    { host: environment['LISTEN_ADDRESS'] ?? '127.0.0.1', port: Number(environment['HTTP_PORT'] ?? 8080) },
    () => settings,
    (primitive) => forward(link, primitive, settings, () => retried.add()),
    (rsc, duration) => {
      answered.add({ rsc: String(rsc) });
      seconds.observe(duration);
    },
  );
  let end: (() => Promise<void>) | undefined;
  link.start(signal, () => {
    end = link.serve(SUBJECT.notifyHttp, QUEUE, (message, respond) => {
      void sendNotification(message.json<NotifyRequest>()).then((reply) => {
        notified.add({ answered: String(reply.answered) });
        respond(JSON.stringify(reply));
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
      await Promise.all([server.drain(), end?.()]);
      await link.close();
    },
  };
});
