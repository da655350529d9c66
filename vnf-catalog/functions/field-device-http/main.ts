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
import { NotificationTargets } from './notification-targets.ts';
import { sendNotification } from './send-notification.ts';

const QUEUE = 'field-device-http';
/** Each is held as text, as a primitive and as a message, within the 96 MiB that the descriptor gives the heap. */
const MAX_IN_FLIGHT_BYTES = 12 * 1_048_576;

interface Settings extends McaSettings, ForwardSettings {
  readonly targets: NotificationTargets;
}

function settingsOf(bindings: FunctionBindings, listensOn: string): Settings {
  const config = readConfig(bindings.config);
  return {
    cseId: config.text('cseId', '/id-in'),
    credentials: parseCredentials(config.list('credentials')),
    maxBodyBytes: config.number('maxBodyBytes', 262_144),
    maxInFlight: config.number('maxInFlight', 512),
    maxInFlightBytes: MAX_IN_FLIGHT_BYTES,
    drainMilliseconds: config.number('drainMilliseconds', 1_000),
    targets: new NotificationTargets(config.texts('notificationTargets', []), listensOn),
    deadlineMilliseconds: Math.min(config.number('deadlineMilliseconds', 25_000), 30_000),
    attemptTimeoutMilliseconds: config.number('attemptTimeoutMilliseconds', 2_000),
  };
}

await runFunction('field-device-http', async ({ environment, bindings, instance, metrics, log, signal }) => {
  const host = environment['LISTEN_ADDRESS'] ?? '127.0.0.1';
  let settings = settingsOf(bindings, host);
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
    { host, port: Number(environment['HTTP_PORT'] ?? 8080) },
    () => settings,
    (primitive) => forward(link, primitive, settings, () => retried.add()),
    (rsc, duration) => {
      answered.add({ rsc: String(rsc) });
      seconds.observe(duration);
    },
    () => link.isConnected,
  );
  metrics.gauge('requests_in_flight', 'Requests under way.', server.inFlight);
  let end: (() => Promise<void>) | undefined;
  link.start(signal, () => {
    end = link.serve(SUBJECT.notifyHttp, QUEUE, (message, respond) => {
      void sendNotification(message.json<NotifyRequest>(), settings.targets).then((reply) => {
        notified.add({ answered: String(reply.answered) });
        respond(JSON.stringify(reply));
      });
    });
  });

  return {
    notReady: () => (link.isConnected ? undefined : 'not connected to the message broker'),
    reload: async (current) => {
      settings = settingsOf(current, host);
      await link.rebind(requiredService(current, 'broker'));
    },
    stop: async () => {
      await Promise.all([server.drain(), end?.()]);
      await link.close();
    },
  };
});
