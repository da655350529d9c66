/** Ports that the host chooses, and fixed ones. */
import { createSocket } from 'node:dgram';
import { createServer, type Server } from 'node:net';
import { describe, expect, it } from 'vitest';
import {
  eventually,
  nextFence,
  only,
  programsOf,
  run,
  sampleWorkload,
  until,
  untilOutput,
  untilRunning,
  type ConformanceSite,
  type ConformanceTarget,
} from '../conformance-site.ts';
import { HTTP_PORT, SWITCHED_SERVER } from './programs.ts';
import { skipWithout } from './abilities.ts';

/** Says on each of two ports which one it is. */
const GREETER = [
  'node',
  '-e',
  `process.on('SIGTERM', () => process.exit(0));
   for (const port of [process.env.CHOSEN, process.env.FIXED])
     require('node:http').createServer((request, response) => response.end('hello at ' + port))
       .listen(Number(port), process.env.LISTEN);`,
] as const;

/** Sends every datagram back. */
const ECHOER = [
  'node',
  '-e',
  `process.on('SIGTERM', () => process.exit(0));
   const socket = require('node:dgram').createSocket('udp4');
   socket.on('message', (text, from) => socket.send(text, from.port, from.address));
   socket.bind(Number(process.env.PORT), process.env.LISTEN);`,
] as const;

export function describeChosenPorts(siteOf: () => ConformanceSite): void {
  describe('ports that the host chooses', () => {
    it('differ between instances, and stay the same over crashes and drivers', async () => {
      const ports = [{ name: 'http', protocol: 'tcp', expose: false } as const];
      const workload = sampleWorkload(siteOf(), { slots: [0, 1], spec: { ports } });
      const before = await run(siteOf(), workload);
      const numbers = before.map((instance) => instance.ports['http']);
      expect(new Set(numbers).size).toBe(2);
      expect(numbers.every((number) => Number.isInteger(number) && Number(number) > 1023)).toBe(true);
      await siteOf().crash(workload.key, only(before));
      await until(siteOf(), workload.key, ([one]) => one?.state === 'RUNNING' && one.restarts === 1);
      await siteOf().reopen();
      const after = await untilRunning(siteOf(), workload);
      expect(after.map((instance) => instance.ports['http'])).toEqual(numbers);
    });
  });
}

export function describePorts(siteOf: () => ConformanceSite, target: ConformanceTarget): void {
  describe('ports', () => {
    it('are waited for, and it is said why, while somebody else has them', async ({ skip }) => {
      skipWithout(target, 'foreign-ports', skip);
      const { server, number } = await takePort(programsOf(siteOf()).address);
      const workload = sampleWorkload(siteOf(), {
        spec: { ports: [{ ...HTTP_PORT, expose: true, number }] },
      });
      await siteOf().driver.apply(workload, nextFence());
      const waiting = only(await until(siteOf(), workload.key, ([one]) => one?.reason !== undefined));
      expect(waiting.state).toBe('PENDING');
      expect(waiting.reason).toContain(`port ${number} (http) is taken`);
      await new Promise((resolve) => server.close(resolve));
      expect(only(await untilRunning(siteOf(), workload)).ports).toEqual({ http: number });
    });

    it('that two instances want are given to one of them, and to the other one when it has gone', async () => {
      const number = await freePort(programsOf(siteOf()).address);
      const spec = {
        ports: [{ ...HTTP_PORT, expose: true, number }],
        env: { PORT: '{{ ports.http }}' },
      };
      const first = sampleWorkload(siteOf(), { command: SWITCHED_SERVER, spec });
      const second = sampleWorkload(siteOf(), { command: SWITCHED_SERVER, spec });
      await run(siteOf(), first);
      await untilOutput(siteOf(), first.key, 'listening');
      await siteOf().driver.apply(second, nextFence());
      const waiting = only(await until(siteOf(), second.key, ([one]) => one?.reason !== undefined));
      expect(waiting.state).toBe('PENDING');
      expect(waiting.reason).toContain(`port ${number} (http) is taken`);
      await siteOf().driver.remove(first.key, nextFence());
      expect(only(await untilRunning(siteOf(), second)).ports).toEqual({ http: number });
    });

    it('answer at the address of the host, whether chosen or fixed', async () => {
      const { address } = programsOf(siteOf());
      const number = await freePort(address);
      const workload = sampleWorkload(siteOf(), {
        command: GREETER,
        spec: {
          ports: [
            { name: 'chosen', protocol: 'tcp', expose: true },
            { name: 'fixed', protocol: 'tcp', expose: true, number },
          ],
          env: {
            LISTEN: '{{ instance.listenAddress }}',
            CHOSEN: '{{ ports.chosen }}',
            FIXED: '{{ ports.fixed }}',
          },
        },
      });
      const { ports } = only(await run(siteOf(), workload));
      expect(ports['fixed']).toBe(number);
      for (const name of ['chosen', 'fixed']) {
        const text = await eventually(siteOf(), async () => {
          const answer = await fetch(`http://${address}:${ports[name]}/`);
          return answer.text();
        });
        expect(text).toBe(`hello at ${ports[name]}`);
      }
    });

    it('may be of datagrams', async () => {
      const { address } = programsOf(siteOf());
      const workload = sampleWorkload(siteOf(), {
        command: ECHOER,
        spec: {
          ports: [{ name: 'coap', protocol: 'udp', expose: true }],
          env: { LISTEN: '{{ instance.listenAddress }}', PORT: '{{ ports.coap }}' },
        },
      });
      const { ports } = only(await run(siteOf(), workload));
      const answer = await eventually(siteOf(), () => exchangeDatagram(address, ports['coap'] ?? 0, 'ping'));
      expect(answer).toBe('ping');
    });
  });
}

async function freePort(address: string): Promise<number> {
  const { server, number } = await takePort(address);
  await new Promise((resolve) => server.close(resolve));
  return number;
}

async function takePort(address: string): Promise<{ readonly server: Server; readonly number: number }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  const bound = server.address();
  return { server, number: typeof bound === 'object' && bound !== null ? bound.port : 0 };
}

/** How long one datagram is waited for; a lost one is sent again. */
const DATAGRAM_MILLISECONDS = 200;

/** Sends a datagram, and gives what comes back. */
async function exchangeDatagram(address: string, port: number, text: string): Promise<string> {
  const socket = createSocket('udp4');
  try {
    return await new Promise<string>((resolve, reject) => {
      const late = (): void => reject(new Error(`no answer from ${address}:${port}`));
      setTimeout(late, DATAGRAM_MILLISECONDS);
      socket.on('message', (answer) => resolve(answer.toString()));
      socket.on('error', reject);
      socket.send(text, port, address);
    });
  } finally {
    socket.close();
  }
}
