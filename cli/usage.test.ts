/** What the `iotmano` command does without an orchestrator: help, refusals of wrong use, and packages. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestSystem, type CommandResult, type TestSystem } from '../test/kit/test-system.ts';
import { tinyDescriptor, tinyService, writeTinyFunction } from '../test/kit/tiny-function.ts';

let system: TestSystem;
let run: (line: string, environment?: NodeJS.ProcessEnv) => Promise<CommandResult>;

beforeAll(async () => {
  system = await createTestSystem();
  run = (line, environment) => system.iotmano(line.split(' '), { ...system.environment, ...environment });
});

afterAll(() => system.cleanUp());

describe('iotmano --help', () => {
  it('ends quietly when nobody reads on', () => {
    const program = join(import.meta.dirname, '../bin/iotmano.js');
    const { status, stderr } = spawnSync('sh', ['-c', '"$0" "$1" --help | true', process.execPath, program]);
    expect([status, stderr.toString()]).toEqual([0, '']);
  });

  it('lists every command and every exit code', async () => {
    const { code, stdout } = await run('--help');
    expect(code).toBe(0);
    for (const command of 'up agent package service ps hosts host placement scaling alarms events logs exec diagnostics audit load conformance token nats pki'.split(
      ' ',
    ))
      expect(stdout).toMatch(new RegExp(`^  ${command}\\b`, 'm'));
    expect(stdout).toContain('0 done   1 failed   2 wrong use or bad input   3 no orchestrator answers');
  });

  it.each(['agent', 'package', 'service', 'host', 'scaling', 'load', 'conformance', 'token', 'pki'])(
    'is there for %s, too, with its commands',
    async (group) => {
      const { code, stdout } = await run(`${group} --help`);
      expect(code).toBe(0);
      expect(stdout).toContain('Commands:');
    },
  );
});

describe('wrong use ends with 2 and says what is right:', () => {
  it.each([
    ['bogus', /unknown command 'bogus'/],
    ['service deploy', /missing required argument 'service'/],
    ['ps -o xml', /Allowed choices are table, json/],
    ['up --listen here', /--listen wants address:port, e\.g\. 127\.0\.0\.1:8900/],
    ['up --listen 127.0.0.1:99999', /--listen wants address:port/],
    ['up --tls-cert cert.pem', /TLS needs a certificate and its key; --tls-key is missing/],
    ['up --tls-key key.pem', /TLS needs a certificate and its key; --tls-cert is missing/],
    ['up --log-level loud', /Allowed choices are trace, debug, info, warn, error, silent/],
    ['up --nats nats://192.0.2.1:4222', /not on this machine.*use tls:\/\//],
    ['up --nats here', /a server of NATS must be a URL like tls:\/\/host:4222/],
    ['up --nats-stream-mib 5', /need --nats: name the servers/],
    ['nats setup x --listen 0.0.0.0:4222', /give a TLS certificate and key/],
    [
      'nats setup x --listen 127.0.0.1:1 --cluster-listen 127.0.0.1:2',
      /a cluster needs --cluster-listen and --routes/,
    ],
    ['token enrol --nats', /--nats needs --host-id/],
    ['agent run --host-id gw --mco nats://192.0.2.1', /use tls:\/\//],
    ['agent run --label site', /--label wants key=value,.*got "site"/],
    ['agent run --tier sky', /Allowed choices are device-edge, cloud-edge, cloud/],
    ['agent run --host-id No_Such', /--host-id/],
    ['service deploy x --param cseId', /--param wants name=value; got "cseId"/],
    ['service deploy x --timeout soon', /--timeout wants a whole number of at least 1; got "soon"/],
    ['token create t --role king', /Allowed choices are admin, operator, viewer/],
    ['token create t', /required option '--role <role>' not specified/],
    ['token enrol --valid 0', /--valid wants a whole number of at least 1/],
    ['events --since yesterday', /--since wants a whole number of at least 0/],
    ['logs x --tail all', /--tail wants a whole number/],
    ['scaling replay', /required option '--trace <file>' not specified/],
    ['scaling replay --trace nowhere.csv', /nowhere\.csv cannot be read/],
    ['scaling replay --trace x --speed 0', /--speed wants a number above zero; got "0"/],
    ['up --scale-limit-tenant acme', /--scale-limit-tenant wants name=value; got "acme"/],
    ['up --scale-limit-vim lab=many', /--scale-limit-vim wants a whole number/],
    ['load play --service s', /required option '--trace <file>' not specified/],
    ['load play --trace generated:metering-slots', /say where to: --service, or --gateway/],
    ['load play --trace generated:flood --gateway http://127.0.0.1:9', /there is no generated trace "flood"/],
    ['load play --trace nowhere.csv --gateway http://127.0.0.1:9', /nowhere\.csv cannot be read/],
    ['load play --trace package.json --gateway http://127.0.0.1:9', /package\.json:1: .*"timestamp,value"/],
    [
      'load play --trace generated:metering-slots --gateway http://127.0.0.1:9 --progress nowhere/progress',
      /--progress nowhere\/progress cannot be written/,
    ],
    ['load play --trace x --gateway there', /--gateway wants an http URL.*got "there"/],
    ['load play --trace x --speed 0 --gateway http://127.0.0.1:9', /--speed wants a number above 0; got "0"/],
    ['load play --trace x --reads 2 --gateway http://127.0.0.1:9', /--reads wants a number from 0 to 1/],
    [
      'conformance agent --binding nats --nats-server /nowhere/nats-server',
      /nats-server does not start.*needs nats-server 2\.9 or newer.*--nats-server/,
    ],
    [
      'conformance orchestrator --target nats:// --token x',
      /for NATS --target wants URLs like nats:\/\/127\.0\.0\.1:4222/,
    ],
    ['conformance agent --binding mqtt', /Allowed choices are http, nats/],
    ['conformance agent --format xml', /Allowed choices are table, json, junit/],
    ['conformance agent --listen here', /--listen wants address:port/],
    ['conformance agent --listen 192.0.2.1:8900', /--listen wants a loopback address.*ssh -R/],
    ['conformance agent --timeout soon', /--timeout wants a whole number of at least 1; got "soon"/],
    ['conformance agent --only MCO-X-001', /MCO-X-001: there is no such requirement or case; see --list/],
    ['conformance agent --only MCO-C-020', /MCO-C-020: it binds the other side/],
    ['conformance agent --only MCO-C-025', /MCO-C-025: it does not show on the wire/],
    ['conformance agent --only MCO-O-085', /MCO-O-085: it is not in this version of Mco/],
    ['conformance agent --workload nowhere.json', /--workload nowhere\.json is to be a JSON file/],
    ['conformance agent --workload package.json', /runs: .*fails: /],
    ['conformance orchestrator', /give --token .*--operator-command or --by-hand/],
    ['conformance orchestrator --token x', /--target wants the http or https URL.*got nothing/],
    ['conformance orchestrator --token x --target there', /--target wants .*got "there"/],
    [
      'conformance orchestrator --token x --target http://127.0.0.1:9',
      /nothing could be checked: .*127\.0\.0\.1:9 was not answered.*--target its address/,
    ],
    [
      'conformance orchestrator --token x --target https://127.0.0.1:9 --ca-file nowhere.pem',
      /--ca-file wants a PEM file that can be read/,
    ],
    ['package check nowhere.yaml', /nowhere\.yaml cannot be read: there is no such file/],
    ['package build nowhere -f out.zip', /nowhere cannot be read/],
  ])('%s', async (line, message) => {
    const { code, stdout, stderr } = await run(line);
    expect(stderr).toMatch(message);
    expect([code, stdout]).toEqual([2, '']);
  });

  it('up on an address that is not loopback, without TLS', async () => {
    const { code, stderr } = await system.iotmano(['up', '--listen', '0.0.0.0:0', '--data', system.data]);
    expect(stderr).toMatch(/TLS/);
    expect(code).toBe(2);
  });
});

describe('without an orchestrator', () => {
  it('a command says that there is no token, and where it has looked', async () => {
    const { code, stderr } = await run('ps', { IOTMANO_DATA: '/nowhere' });
    expect(stderr).toContain('set IOTMANO_TOKEN');
    expect(stderr).toContain('/nowhere/admin.token');
    expect(code).toBe(4);
  });

  it('a command says that none answers, and where it has asked', async () => {
    const { code, stderr } = await run('ps', { IOTMANO_TOKEN: 'a.b' });
    expect(stderr).toContain(`no orchestrator answers at ${system.url}`);
    expect(stderr).toContain('iotmano up');
    expect(code).toBe(3);
  });

  it('--url goes before IOTMANO_URL', async () => {
    const { stderr } = await run('--url http://127.0.0.1:9 ps', { IOTMANO_TOKEN: 'a.b' });
    expect(stderr).toContain('no orchestrator answers at http://127.0.0.1:9 ');
  });

  it('a host cannot be enrolled, which is said at once', async () => {
    const line = `agent enrol --host-id h --token x --data ${join(system.folder, 'h')} --log-level silent`;
    const { code, stderr } = await run(line);
    expect(stderr).toMatch(/^iotmano: .*127\.0\.0\.1/);
    expect(code).toBe(3);
  });
});

describe('iotmano scaling replay', () => {
  const trace = join(import.meta.dirname, '../orchestrator/scaling/testkit/traces/road-occupancy.csv');
  const replay = (...more: string[]) =>
    system.iotmano(['scaling', 'replay', '--trace', trace, '--speed', '60', ...more]);

  it('shows what a policy of each type would have done, beside the HPA rule', async () => {
    const { code, stdout, stderr } = await replay();
    expect([code, stderr]).toEqual([0, expect.stringContaining('played at speed 60')]);
    for (const name of ['threshold', 'target', 'predictive', 'learning', 'HPA rule'])
      expect(stdout).toMatch(new RegExp(`^${name} +\\d+\\.\\d{3} % +\\d+ `, 'm'));
  });

  it('plays a policy from a file, and refuses one with faults at their places', async () => {
    const file = join(system.folder, 'night.yaml');
    writeFileSync(file, 'type: target\nindicator: demand\ntarget: 2\n');
    const { stdout } = await replay('--policy', file, '-o', 'json');
    const { results } = JSON.parse(stdout) as { results: { name: string }[] };
    expect(results.map(({ name }) => name)).toEqual(['night.yaml', 'HPA rule']);
    writeFileSync(file, 'type: target\nindicator: demand\ntraget: 2\n');
    const { code, stderr } = await replay('--policy', file);
    expect(code).toBe(2);
    expect(stderr).toMatch(/night\.yaml:3:1.*`traget` is not a property/);
  });
});

describe('iotmano package', () => {
  const path = (name: string): string => join(system.folder, name);

  it('builds a package that check finds valid', async () => {
    await writeTinyFunction(path('fine'), tinyDescriptor('fine'));
    expect(await system.iotmano(['package', 'build', path('fine'), '-f', path('fine.zip')])).toEqual({
      code: 0,
      stdout: '',
      stderr: `wrote ${path('fine.zip')}\n`,
    });
    expect(await system.iotmano(['package', 'check', path('fine.zip')])).toEqual({
      code: 0,
      stdout: '',
      stderr: `${path('fine.zip')} is valid\n`,
    });
  });

  it('tells all faults of all files, each with its place, its rule and a remedy', async () => {
    const faulty = tinyDescriptor('faulty', { more: { lifespan: 3, flavours: [] } });
    writeFileSync(path('faulty.yaml'), JSON.stringify(faulty, undefined, 2));
    writeFileSync(path('good.yaml'), JSON.stringify(tinyService('good', [{ name: 'fine' }])));
    const { code, stderr } = await system.iotmano([
      'package',
      'check',
      path('faulty.yaml'),
      path('good.yaml'),
    ]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/faulty\.yaml:\d+:\d+: schema\/\S+: .*lifespan/);
    expect(stderr).toMatch(/faulty\.yaml:\d+:\d+: schema\/\S+: .*flavours/);
    expect(stderr).toContain(`${path('good.yaml')} is valid`);
  });

  it('tells programs the same as JSON', async () => {
    const args = ['package', 'check', '-o', 'json', path('faulty.yaml'), path('good.yaml')];
    const { code, stdout } = await system.iotmano(args);
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject([
      { isValid: false, faults: expect.arrayContaining([expect.objectContaining({ severity: 'error' })]) },
      { isValid: true, faults: [] },
    ]);
  });

  it('does not build what has faults', async () => {
    mkdirSync(path('bad'));
    writeFileSync(path('bad/descriptor.yaml'), 'kind: [');
    const { code, stderr } = await system.iotmano(['package', 'build', path('bad'), '-f', path('bad.zip')]);
    expect(stderr).toContain(`${path('bad')} cannot be packed`);
    expect(code).toBe(2);
    expect((await system.iotmano(['package', 'check', path('bad.zip')])).stderr).toContain('cannot be read');
  });
});

describe('iotmano pki', () => {
  it('makes an authority, issues, renews and lists', async () => {
    const directory = join(system.folder, 'own-pki');
    expect(await run(`pki init ${directory} --name mano.example 192.0.2.7`)).toMatchObject({ code: 0 });
    expect(await run(`pki issue ${directory} nats --name nats.example`)).toMatchObject({ code: 0 });
    expect(await run(`pki renew ${directory}`)).toMatchObject({ code: 0 });
    const { stdout } = await run(`pki list ${directory} --output json`);
    const rows = JSON.parse(stdout) as { name: string; names: string; daysLeft: number }[];
    expect(rows.map(({ name }) => name)).toEqual(['ca', 'hosts-ca', 'nats', 'server']);
    expect(rows.at(-1)).toMatchObject({ names: 'DNS:mano.example, IP Address:192.0.2.7' });
    expect(rows.at(-1)?.daysLeft).toBeGreaterThan(390);
  });

  it('refuses what no certificate can be for, a second authority, and a directory without one', async () => {
    const directory = join(system.folder, 'second-pki');
    const wrong = await run(`pki init ${directory} --name bad_name/x`);
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('--name wants')]);
    expect(await run(`pki renew ${directory}`)).toMatchObject({ code: 5 });
    await run(`pki init ${directory} --name mano.example`);
    expect(await run(`pki init ${directory} --name mano.example`)).toMatchObject({ code: 6 });
  });
});
