/** A function that says who it is over HTTP: the same program in a container of a local image, and as a process. It scales by hand and is patient for 8 s. */
const IMAGE = 'node:24-slim';

const PROGRAM = [
  "const server = require('node:http').createServer((request, response) => {",
  '  const told = { pid: process.pid, host: process.env.HOST, reloads: 0 };',
  '  response.end(JSON.stringify(told));',
  '});',
  "process.on('SIGTERM', () => process.exit(0));",
  "server.listen(Number(process.env.PORT), () => console.log('web serves'));",
].join('\n');

const UNIT = {
  name: 'main',
  artifacts: [
    { type: 'container', image: IMAGE, command: ['node', '-e', PROGRAM] },
    { type: 'process', command: ['node', '-e', PROGRAM] },
  ],
  resources: { cpu: '50m', memory: '96Mi' },
  env: { HOST: '{{ host.id }}', PORT: '{{ ports.http }}' },
  ports: [{ name: 'http', protocol: 'tcp', expose: true }],
  probes: { ready: { http: { port: 'http', path: '/' }, every: '1s', failAfter: 3 } },
  security: { nonRoot: false },
  stop: { signal: 'SIGTERM', grace: '2s' },
};

export const WEB_FUNCTION = {
  units: [UNIT],
  scaling: [{ aspect: 'load', deltas: { main: 1 }, min: 1, max: 3 }],
  healing: { restart: { within: '60s', times: 5, backoff: '200ms..1s' }, lostAfter: '8s' },
};
