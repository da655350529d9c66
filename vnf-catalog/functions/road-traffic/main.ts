import { randomUUID } from 'node:crypto';
import { messageOf, systemClock } from '../../../kernel/index.ts';
import { readConfig, requiredService, runFunction, type FunctionBindings } from '../../shared/index.ts';
import { serveApplication } from './application-server.ts';
import { TrafficFigures } from './figures.ts';
import { openJournal } from './journal.ts';
import { Registration, type ApplicationSettings } from './registration.ts';

const SOON_MILLISECONDS = 200;

function settingsOf(
  bindings: FunctionBindings,
  pointOfAccess: string,
): ApplicationSettings & { readonly lookMilliseconds: number } {
  const config = readConfig(bindings.config);
  const token = config.text('token', '');
  return {
    originator: config.text('originator', 'CroadTraffic'),
    name: config.text('name', 'road-traffic'),
    cseName: config.text('cseName', 'cse-in'),
    label: config.text('label', 'road-sensor'),
    lookMilliseconds: config.number('lookForSensorsSeconds', 1) * 1000,
    pointOfAccess,
    ...(token === '' ? {} : { token }),
  };
}

await runFunction('road-traffic', async ({ environment, bindings, metrics, log, signal }) => {
  const host = environment['LISTEN_ADDRESS'] ?? '127.0.0.1';
  const figures = new TrafficFigures();
  const journal = openJournal(environment['DATA_DIRECTORY'] ?? '.', figures);
  const server = await serveApplication(
    { host, port: Number(environment['HTTP_PORT'] ?? 8081) },
    {
      observe: (observation) => journal.record(observation),
      figures: () => ({ ...figures.figures(), subscriptions: [...registration.subscriptions].toSorted() }),
      resourceIds: () => figures.resourceIds(),
    },
  );
  const publicHost = environment['PUBLIC_ADDRESS'] ?? host;
  const pointOfAccess = `http://${publicHost.includes(':') ? `[${publicHost}]` : publicHost}:${server.port}/`;
  let settings = settingsOf(bindings, pointOfAccess);
  const registration = new Registration(
    requiredService(bindings, 'mca').endpoints,
    () => settings,
    randomUUID,
  );
  metrics.gauge(
    'notifications_received_total',
    'Notifications received.',
    () => figures.figures().notifications,
  );
  metrics.gauge(
    'sensors_subscribed',
    'Sensors that are subscribed to.',
    () => registration.subscriptions.size,
  );

  const lookout = (async () => {
    while (!signal.aborted) {
      try {
        await registration.converge();
        await systemClock.sleep(settings.lookMilliseconds, signal);
      } catch (error) {
        if (registration.isRegistered) log.warn({ error: messageOf(error) }, 'the CSE did not do as asked');
        await systemClock.sleep(SOON_MILLISECONDS, signal);
      }
    }
  })();

  return {
    notReady: () => (registration.isRegistered ? undefined : 'not registered at the CSE'),
    reload: (current) => {
      settings = settingsOf(current, pointOfAccess);
      registration.rebind(requiredService(current, 'mca').endpoints);
    },
    stop: async () => {
      registration.close();
      await lookout;
      await server.close();
      journal.close();
    },
  };
});
