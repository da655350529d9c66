import { get } from 'node:http';
import { IotmanoError } from '../../../kernel/index.ts';

/** What nats-server says of itself on its monitoring port. */
export interface ServerMonitor {
  isHealthy(): boolean;
  metrics(): string;
  stop(): void;
}

const FIGURES: readonly (readonly [string, string, string, string])[] = [
  ['connections', 'nats_connections', 'gauge', 'Connected clients.'],
  ['subscriptions', 'nats_subscriptions', 'gauge', 'Subscriptions of all clients.'],
  ['mem', 'nats_resident_memory_bytes', 'gauge', 'Resident memory of nats-server.'],
  ['in_msgs', 'nats_received_messages_total', 'counter', 'Messages that clients sent.'],
  ['out_msgs', 'nats_sent_messages_total', 'counter', 'Messages that clients were sent.'],
  ['in_bytes', 'nats_received_bytes_total', 'counter', 'Bytes that clients sent.'],
  ['out_bytes', 'nats_sent_bytes_total', 'counter', 'Bytes that clients were sent.'],
  ['slow_consumers', 'nats_slow_consumers_total', 'counter', 'Clients cut off because they read too slowly.'],
];

/** Looks every second (ten times a second until first healthy), so that a scrape never waits for another process. */
export function monitorServer(port: number): ServerMonitor {
  let isHealthy = false;
  let text = '';
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  const look = async (): Promise<void> => {
    try {
      await ask(port, '/healthz');
      text = renderFigures(JSON.parse(await ask(port, '/varz')) as Readonly<Record<string, unknown>>);
      isHealthy = true;
    } catch {
      isHealthy = false;
    }
    if (!isStopped) timer = setTimeout(() => void look(), isHealthy ? 1_000 : 100);
  };
  void look();
  return {
    isHealthy: () => isHealthy,
    metrics: () => text,
    stop: () => {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}

function ask(port: number, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = get({ host: '127.0.0.1', port, path, timeout: 900 }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('error', reject);
      response.once('end', () => {
        if (response.statusCode === 200) resolve(Buffer.concat(chunks).toString());
        else
          reject(
            new IotmanoError('unavailable', `nats-server answered ${path} with ${response.statusCode ?? 0}`),
          );
      });
    });
    call.once('timeout', () => call.destroy());
    call.once('error', reject);
  });
}

function renderFigures(varz: Readonly<Record<string, unknown>>): string {
  return FIGURES.map(([key, name, type, help]) => {
    const value = varz[key];
    return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${name} ${typeof value === 'number' ? value : 0}\n`;
  }).join('');
}
