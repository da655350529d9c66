/** Programs and parts of specs that several tests use. */
import type { WorkloadSpec } from '../contract.ts';

export const HTTP_PORT = { name: 'http', protocol: 'tcp', expose: false } as const;

/** The first end is the last one. */
export const NO_RESTART: WorkloadSpec['restart'] = {
  withinSeconds: 60,
  times: 0,
  backoffMinSeconds: 1,
  backoffMaxSeconds: 1,
};

/** Answers 200 or 503 on `$PORT`. SIGHUP makes `/ready` well, SIGUSR1 makes it ill; SIGUSR2 makes `/alive` ill. */
export const SWITCHED_SERVER = [
  'node',
  '-e',
  `const ill = new Set(['/ready']);
   process.on('SIGTERM', () => process.exit(0));
   process.on('SIGUSR1', () => ill.add('/ready'));
   process.on('SIGUSR2', () => ill.add('/alive'));
   process.on('SIGHUP', () => ill.delete('/ready'));
   require('node:http').createServer((request, response) => {
     response.statusCode = ill.has(request.url) ? 503 : 200;
     response.end();
   }).listen(Number(process.env.PORT), () => console.log('listening'));`,
] as const;

export function probe(path: string): { action: { type: 'http'; port: string; path: string } } & typeof PACE {
  return { action: { type: 'http', port: 'http', path }, ...PACE };
}
export const PACE = { everySeconds: 0.1, timeoutSeconds: 1, failAfter: 2 };
