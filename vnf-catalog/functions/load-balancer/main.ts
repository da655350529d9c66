import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { IotmanoError } from '../../../kernel/index.ts';
import { readConfig, runFunction, type FunctionBindings } from '../../shared/index.ts';
import { startBalancer } from './balancer.ts';
import { ALGORITHMS, type Algorithm, type ProxySettings } from './proxy-config.ts';

function settingsOf({ config }: FunctionBindings, host: string, port: number): ProxySettings {
  const reader = readConfig(config);
  return {
    host,
    port,
    algorithm: parseAlgorithm(reader.text('algorithm', 'leastconn')),
    maxConnections: reader.number('maxConnections', 2_000),
    checkMilliseconds: reader.number('checkMilliseconds', 200),
  };
}

function parseAlgorithm(text: string): Algorithm {
  const found = ALGORITHMS.find((name) => name === text);
  if (found !== undefined) return found;
  throw new IotmanoError(
    'invalid-parameter',
    `configuration "algorithm" must be one of ${ALGORITHMS.join(', ')}; it is "${text}"`,
  );
}

await runFunction('load-balancer', async (context) => {
  const { environment } = context;
  const directory = resolve(environment['WORK_DIRECTORY'] ?? '.');
  mkdirSync(directory, { recursive: true });
  process.chdir(directory);
  const host = environment['LISTEN_ADDRESS'] ?? '127.0.0.1';
  const port = Number(environment['HTTP_PORT'] ?? 8080);
  return startBalancer(context, directory, (bindings) => settingsOf(bindings, host, port));
});
