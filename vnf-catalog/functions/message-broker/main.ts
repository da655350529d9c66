import { randomBytes } from 'node:crypto';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { nkeyName } from '../../../kernel/index.ts';
import { runFunction, type FunctionBindings } from '../../shared/index.ts';
import { monitorServer } from './monitoring.ts';
import { startNatsServer } from './nats-server.ts';
import { renderServerConfig, type ServerSettings } from './server-config.ts';

await runFunction('message-broker', async ({ environment, bindings, instance, metrics, fail }) => {
  const directory = resolve(environment['WORK_DIRECTORY'] ?? '.');
  const configFile = join(directory, 'nats-server.conf');
  const monitorPort = Number(environment['MONITOR_PORT'] ?? 8222);
  const settings: ServerSettings = {
    name: instance,
    host: environment['LISTEN_ADDRESS'] ?? '127.0.0.1',
    port: Number(environment['NATS_PORT'] ?? 4222),
    monitorPort,
    maxPayloadBytes: 4 * 1_048_576,
    placeholderKey: nkeyName(randomBytes(32).toString('base64url')),
  };
  const write = (current: FunctionBindings): void => {
    const text = renderServerConfig(settings, current.clients);
    writeFileSync(`${configFile}.new`, text, { mode: 0o600 });
    renameSync(`${configFile}.new`, configFile);
  };

  mkdirSync(directory, { recursive: true });
  write(bindings);
  const server = startNatsServer(directory, configFile, fail);
  const monitor = monitorServer(monitorPort);
  metrics.text(monitor.metrics);
  return {
    notReady: () => (monitor.isHealthy() ? undefined : 'nats-server does not answer on its monitoring port'),
    reload: (current) => {
      write(current);
      server.reload();
    },
    stop: async () => {
      monitor.stop();
      await server.stop();
    },
  };
});
