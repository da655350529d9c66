/** Every command of `iotmano` that speaks to an orchestrator, against one that really runs, with an agent and tiny functions. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestSystem, eventually, isAlive, type TestSystem } from '../test/kit/test-system.ts';
import { buildTinyFunction, tinyService } from '../test/kit/tiny-function.ts';

let system: TestSystem;
const followers: ChildProcess[] = [];

beforeAll(async () => {
  system = await createTestSystem();
  await system.startOrchestrator();
  await system.addHosts('gw-1');
}, 60_000);

afterAll(async () => {
  for (const follower of followers) follower.kill('SIGKILL');
  await system.cleanUp();
}, 30_000);

const path = (name: string): string => join(system.folder, name);

/** Runs a command that must end well. */
async function run(...args: string[]): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const { code, ...output } = await system.iotmano(args);
  if (code !== 0) throw new Error(`iotmano ${args.join(' ')} ended with ${code}: ${output.stderr}`);
  return output;
}

async function json<T>(...args: string[]): Promise<T> {
  return JSON.parse((await run(...args, '-o', 'json')).stdout) as T;
}

/** Runs a command that must fail; its exit code and what it says. */
async function fail(
  args: string,
  environment: NodeJS.ProcessEnv = {},
): Promise<{ readonly code: number | null; readonly stderr: string }> {
  const { code, stderr } = await system.iotmano(args.split(' '), { ...system.environment, ...environment });
  return { code, stderr };
}

/** Starts a command that goes on; its output so far. */
function follow(...args: string[]): () => string {
  const program = join(import.meta.dirname, '../bin/iotmano.js');
  const child = spawn(process.execPath, [program, ...args], {
    env: system.environment,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  followers.push(child);
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  return () => output;
}

function writeService(name: string, functions: readonly Readonly<Record<string, unknown>>[]): string {
  const file = path(`${name}.yaml`);
  const parameters = { type: 'object', properties: { level: { type: 'integer', minimum: 1 } } };
  writeFileSync(file, JSON.stringify(tinyService(name, functions, { parameters })));
  return file;
}

describe('iotmano up', () => {
  it('leaves an admin token that only its owner can read', () => {
    expect(statSync(join(system.data, 'admin.token')).mode & 0o777).toBe(0o600);
  });

  it('is refused on a data directory that another one uses', async () => {
    const { code, stderr } = await fail(`up --listen 127.0.0.1:0 --data ${system.data} --log-level silent`);
    expect(stderr).toMatch(/^iotmano: .*another/i);
    expect(code).toBe(6);
  });
});

describe('iotmano hosts', () => {
  it('shows each host with its state, tier and labels', async () => {
    const { stdout } = await run('hosts');
    expect(stdout).toMatch(/^HOST +STATE +VIM +TIER +ARCH +LABELS +AGENT +NOTE$/m);
    expect(stdout).toMatch(/^gw-1 +READY +agent +device-edge +\w+ +\S*site=gw-1\S* +\S+ +-$/m);
    expect(await json('hosts')).toMatchObject([{ hostId: 'gw-1', state: 'READY' }]);
  });

  it('is said to cost, and to keep out whom it keeps out, with iotmano host set', async () => {
    await run('host', 'set', 'gw-1', '--cost-per-hour', '0.05', '--taint', 'dedicated=lab', 'flaky:avoid');
    expect(await json('host', 'set', 'gw-1', '--cost-per-hour', 'unknown')).toMatchObject({
      taints: [
        { text: 'dedicated=lab', effect: 'refuse' },
        { text: 'flaky', effect: 'avoid' },
      ],
    });
    const { taints, costPerHour } = await json<Record<string, unknown>>('host', 'set', 'gw-1', '--no-taints');
    expect([taints, costPerHour]).toEqual([undefined, undefined]);
    expect(await fail('host set gw-1')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('give --cost-per-hour, --taint or --no-taints'),
    });
    expect((await fail('host set gw-1 --cost-per-hour dear')).stderr).toContain('a number from 0 to 1000000');
  });

  it('is drained and used again with iotmano host', async () => {
    expect((await run('host', 'drain', 'gw-1')).stderr).toBe('gw-1 is being drained\n');
    expect((await run('hosts')).stdout).toContain('is being drained');
    expect(await json('host', 'undrain', 'gw-1')).toMatchObject({ draining: false });
    expect(await fail('host drain nobody')).toMatchObject({
      code: 5,
      stderr: expect.stringContaining('no host nobody'),
    });
  });

  it('is cordoned, drained until it is empty, and used again', async () => {
    expect((await run('host', 'cordon', 'gw-1')).stderr).toBe('gw-1 is cordoned\n');
    expect((await run('host', 'drain', 'gw-1', '--wait')).stderr).toContain('gw-1 is empty\n');
    expect(await json('host', 'uncordon', 'gw-1')).toMatchObject({ draining: false, cordoned: false });
  });
});

describe('iotmano vim', () => {
  it('registers a VIM, says what is wrong with it, changes and forgets it', async () => {
    const added = await run(
      ...'vim add vim-1 --type docker --endpoint tcp://127.0.0.1:1 --label zone=north'.split(' '),
    );
    expect(added.stderr).toMatch(/^vim-1 is registered; it cannot be reached: .+; .+\n$/);
    expect((await run('vim', 'list')).stdout).toMatch(
      /^vim-1 +docker +UNREACHABLE +\d+s +tcp:\/\/127.0.0.1:1 /m,
    );
    const checked = await fail('vim check vim-1');
    expect(checked).toMatchObject({ code: 1, stderr: expect.stringContaining('cannot be reached') });
    await run(...'vim set vim-1 --label zone=south --port-range 30000-30999'.split(' '));
    expect(await json('vim', 'show', 'vim-1')).toMatchObject({
      extra: { labels: { zone: 'south' }, portRange: [30_000, 30_999] },
    });
    expect((await run('hosts')).stdout).toMatch(/^vim-1 +ENROLLED +docker /m);
    expect(await fail('vim add vim-1 --type docker')).toMatchObject({ code: 6 });
    expect((await run('vim', 'rm', 'vim-1')).stderr).toBe(
      'vim-1 is forgotten; it could not be reached: what is there stays there\n',
    );
    expect(await fail('vim show vim-1')).toMatchObject({ code: 5 });
  });

  it('takes credentials from files and the environment, with what a kubeconfig names put into it', async () => {
    writeFileSync(path('the.token'), 'the-token-of-a-cluster\n');
    const user = { name: 'u', user: { tokenFile: 'the.token' } };
    const cluster = { name: 'c', cluster: { server: 'https://127.0.0.1:1' } };
    const contexts = [{ name: 'here', context: { cluster: 'c', user: 'u' } }];
    const file = path('kubeconfig');
    writeFileSync(file, JSON.stringify({ clusters: [cluster], users: [user], contexts }));
    const own = 'vim add vim-2 --type kubernetes --kubeconfig';
    expect(await fail(`${own} ${path('nowhere')}`)).toMatchObject({ code: 2 });
    expect(await fail(`${own} ${file}`)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('current-context'),
    });
    await run(...`${own} ${file} --context here`.split(' '));
    expect(await json('vim', 'show', 'vim-2')).toMatchObject({ credentials: 'kubeconfig' });
    const token = { ...system.environment, IOTMANO_VIM_TOKEN: 'another-token' };
    const server = '--type kubernetes --endpoint https://127.0.0.1:1';
    expect(await system.iotmano(`vim add vim-3 ${server}`.split(' '), token)).toMatchObject({ code: 0 });
    expect(await json('vim', 'show', 'vim-3')).toMatchObject({ credentials: 'token' });
    expect(await fail('vim set vim-3')).toMatchObject({ code: 2 });
    for (const vimId of ['vim-2', 'vim-3']) await run('vim', 'rm', vimId);
  });
});

describe('iotmano token', () => {
  it('creates tokens that work as what they are for, lists them without secrets, and deletes them', async () => {
    const token = (await run('token', 'create', 'anna', '--role', 'viewer')).stdout.trim();
    const anna = { IOTMANO_TOKEN: token };
    expect(await fail('ps', anna)).toMatchObject({ code: 0 });
    expect(await fail('token list', anna)).toMatchObject({ code: 4 });
    const tokens = await json<{ id: string; name: string; role: string }[]>('token', 'list');
    const own = tokens.find(({ name }) => name === 'anna');
    expect(own).toMatchObject({ role: 'viewer' });
    expect((await run('token', 'list')).stdout).toMatch(/^anna +default +viewer/m);
    expect(JSON.stringify(tokens)).not.toContain(token);
    await run('token', 'rm', own?.id ?? '');
    const { code, stderr } = await fail('ps', anna);
    expect(code).toBe(4);
    expect(stderr).toContain('Set IOTMANO_TOKEN');
    expect(await fail(`token rm ${own?.id ?? ''}`)).toMatchObject({ code: 5 });
  });

  it('refuses a token that it does not know', async () => {
    expect(await fail('ps', { IOTMANO_TOKEN: 'not-a-token' })).toMatchObject({ code: 4 });
  });

  it('creates one-time tokens for hosts, which agent enrol and leave use', async () => {
    const { token, hostId } = await json<{ token: string; hostId: string }>(
      'token',
      'enrol',
      '--host-id',
      'gw-2',
      '--valid',
      '60',
    );
    expect(hostId).toBe('gw-2');
    const own = ['--host-id', 'gw-2', '--data', path('gw-2'), '--log-level', 'silent'];
    const foreign = `--host-id gw-3 --data ${path('gw-3')} --log-level silent`;
    const wrong = await fail(`agent enrol ${foreign}`, { IOTMANO_ENROLMENT_TOKEN: token });
    expect(wrong.stderr).toMatch(/could not be enrolled/);
    expect(wrong.code).not.toBe(0);
    const file = path('gw-2.token');
    const withoutFile = await fail(`agent enrol ${own.join(' ')} --token-file ${file}`);
    expect(withoutFile.stderr).toContain(`there is no file ${file}`);
    writeFileSync(file, `${token}\n`);
    expect((await run('agent', 'enrol', ...own, '--token-file', file)).stderr).toBe(
      'gw-2 is enrolled; start it with "iotmano agent run"\n',
    );
    expect(await json('hosts')).toHaveLength(2);
    expect((await run('agent', 'leave', ...own)).stderr).toBe('gw-2 has left\n');
    expect(await json('hosts')).toHaveLength(1);
  }, 40_000);
});

describe('iotmano package', () => {
  it('onboards packages and services, and lists them', async () => {
    const files = await Promise.all(
      ['one', 'two'].map((name) => buildTinyFunction(path('packages'), name, {})),
    );
    const pair = writeService('pair', [{ name: 'one' }, { name: 'two' }]);
    const { stderr } = await run('package', 'onboard', pair, ...files);
    expect(stderr.trim().split('\n')).toEqual([
      expect.stringMatching(/^onboarded .*one\.zip as [\w-]+$/),
      expect.stringMatching(/^onboarded .*two\.zip as [\w-]+$/),
      expect.stringMatching(/^onboarded .*pair\.yaml as [\w-]+$/),
    ]);
    const { stdout } = await run('package', 'list');
    expect(stdout).toMatch(/^KIND +NAME +VERSION +STATE +ENABLED +USAGE +ID$/m);
    expect(stdout).toMatch(/^function +one +1\.0\.0 +ONBOARDED +ENABLED +NOT_IN_USE +[\w-]+$/m);
    expect(stdout).toMatch(/^service +pair +1\.0\.0 +ONBOARDED +ENABLED +NOT_IN_USE +[\w-]+$/m);
    expect(await json('package', 'list')).toMatchObject({ functions: [{}, {}], services: [{}] });
  }, 40_000);

  it('refuses what is onboarded already, says why, and leaves nothing behind', async () => {
    const { code, stderr } = await fail(`package onboard ${path('packages/one.zip')}`);
    expect(stderr).toMatch(/one\.zip was refused: \S+/);
    expect(code).toBe(2);
    expect(await json<{ functions: object[] }>('package', 'list')).toMatchObject({ functions: [{}, {}] });
  });

  it('tells all faults of a descriptor, those that only the orchestrator can find, too', async () => {
    writeFileSync(
      path('faulty.yaml'),
      JSON.stringify(tinyService('faulty', [{ name: 'one', levle: 'x', verison: '1' }])),
    );
    const local = await fail(`package onboard ${path('faulty.yaml')}`);
    expect(local.code).toBe(2);
    expect(local.stderr).toMatch(/levle/);
    expect(local.stderr).toMatch(/verison/);
    const remote = await fail(`package onboard ${writeService('strange', [{ name: 'absent' }])}`);
    expect(remote.code).toBe(2);
    expect(remote.stderr).toMatch(/unknown-function: .*urn:test:function:absent/);
    expect(await json<{ services: object[] }>('package', 'list')).toMatchObject({ services: [{}] });
  });

  it('removes what is not in use, and says where there is no such thing', async () => {
    const [extra] = await json<{ id: string }[]>(
      'package',
      'onboard',
      await buildTinyFunction(path('packages'), 'extra', {}),
    );
    expect((await run('package', 'rm', extra?.id ?? '')).stderr).toBe(`deleted ${extra?.id ?? ''}\n`);
    expect(await fail(`package rm ${extra?.id ?? ''}`)).toMatchObject({ code: 5 });
  }, 40_000);
});

describe('iotmano service', () => {
  it('plans without changing anything', async () => {
    const { stdout } = await run('service', 'plan', 'pair');
    expect(stdout).toMatch(/^FUNCTION +UNIT +SLOT +HOST +SCORE +WHY$/m);
    expect(stdout).toMatch(/^one +main +0 +gw-1 +[\d.]+ +room \+[\d.]+$/m);
    expect(await json('service', 'plan', 'pair')).toMatchObject({ fits: true, instances: [{}, {}] });
    expect(await json('service', 'list')).toEqual([]);
  });

  it('plans with the reasons where nothing fits, and ends with 1', async () => {
    const big = await buildTinyFunction(path('packages'), 'big', { memory: '4Ti' });
    await run('package', 'onboard', big, writeService('huge', [{ name: 'big' }]));
    const planned = await system.iotmano(['service', 'plan', 'huge']);
    expect(planned.stdout).toMatch(/no host for 1 instance: of 1 host, 1 .*memory/);
    expect(planned.stdout).toMatch(
      /^ {2}fits on 1 host if resources\.memory of big\/main were at most \d+[GM]i$/m,
    );
    expect(planned.code).toBe(1);
    const { code, stderr } = await fail('service deploy huge');
    expect(stderr).toMatch(/of 1 host, 1 .*memory.*; fits on 1 host if resources\.memory/);
    expect(code).toBe(6);
    expect(await json('service', 'list')).toEqual([]);
  }, 40_000);

  it('deploys and shows each step, once', async () => {
    const { stdout, stderr } = await run('service', 'deploy', 'pair', '--param', 'level=3');
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^deploying pair \([\w-]+\)$/m);
    expect(stderr).toMatch(/^ {2}one-main-0: RUNNING on gw-1$/m);
    expect(stderr).toMatch(/^pair runs \([\d.]+ s\)$/m);
    const lines = stderr.split('\n');
    expect(new Set(lines).size).toBe(lines.length);
    expect((await run('service', 'list')).stdout).toMatch(/^pair +INSTANTIATED +[\w-]+ +[\w-]+$/m);
    const shown = (await run('service', 'show', 'pair')).stdout;
    expect(shown).toMatch(/^parameters +\{"level":3\}$/m);
    expect(shown).toMatch(/^two-main-0 +RUNNING +gw-1 +0 +-$/m);
    expect(await json('service', 'show', 'pair')).toMatchObject({ nsState: 'INSTANTIATED' });
  }, 40_000);

  it('is explained by the host that it is on, whole or one function at a time', async () => {
    const whole = (await run('host', 'explain', 'gw-1')).stdout;
    expect(whole).toMatch(/^tier +device-edge$/m);
    expect(whole).toMatch(/^pair-one +main +1 +[\d.]+ CPU, 64 MiB memory$/m);
    expect(whole).toMatch(/^pair-two +main +1 +yes +1st of 1 +[\d.]+ +room/m);
    const explained = (...options: string[]) =>
      json<{ functions: unknown[] }>('host', 'explain', 'gw-1', ...options);
    expect((await explained('--for', 'pair')).functions).toHaveLength(2);
    expect((await explained('--for', 'pair', '--function', 'two')).functions).toMatchObject([
      { function: 'pair-two', fits: true },
    ]);
    expect((await explained('--for', 'pair-one')).functions).toMatchObject([{ function: 'pair-one' }]);
    expect((await explained('--for', 'big')).functions).toMatchObject([
      { function: 'big', fits: false, against: [expect.stringMatching(/^lacks memory: 4096 GiB needed/)] },
    ]);
    expect(await fail('host explain gw-1 --for nothing')).toMatchObject({ code: 5 });
    expect(await fail('host explain gw-1 --for nothing --function one')).toMatchObject({ code: 5 });
    expect(await fail('host explain gw-1 --for pair --function three')).toMatchObject({
      code: 5,
      stderr: expect.stringContaining('pair has no function "three"'),
    });
    expect(await fail('host explain gw-1 --function one')).toMatchObject({ code: 2 });
    expect(await fail('host explain nobody')).toMatchObject({ code: 5 });
  }, 40_000);

  it('says what is wrong with a name, a parameter, a second deployment', async () => {
    expect(await fail('service deploy nothing')).toMatchObject({
      code: 5,
      stderr: expect.stringContaining('no onboarded service is called "nothing"'),
    });
    expect(await fail('service show nothing')).toMatchObject({ code: 5 });
    expect(await fail('service heal nothing')).toMatchObject({ code: 5 });
    expect(await fail('service rm nothing')).toMatchObject({ code: 5 });
    const again = await fail('service deploy pair');
    expect(again.stderr).toContain('give this one another name with --name');
    expect(again.code).toBe(6);
    const wrong = await fail('service deploy pair --name other --param level=low');
    expect(wrong.stderr).toMatch(/level/);
    expect(wrong.code).toBe(2);
    expect(await json('service', 'list')).toHaveLength(1);
  }, 40_000);

  it('is kept from losing its package, which stays as it is', async () => {
    const { services } = await json<{ services: { id: string; nsdName: string }[] }>('package', 'list');
    const pair = services.find(({ nsdName }) => nsdName === 'pair');
    const { code, stderr } = await fail(`package rm ${pair?.id ?? ''}`);
    expect(stderr).toContain('is in use');
    expect(code).toBe(6);
    expect((await run('package', 'list')).stdout).toMatch(/^service +pair +1\.0\.0 +ONBOARDED +ENABLED/m);
  });

  it('heals a named function by replacing its copy, and tells what has happened', async () => {
    const [before] = (await system.copies('pair')).filter((copy) => copy.function === 'one');
    const pid = before === undefined ? 0 : (await system.ask(before)).pid;
    const { stderr } = await run('service', 'heal', 'pair', '--function', 'one', '--cause', 'test');
    expect(stderr).toContain('pair is healed\n');
    expect(isAlive(pid)).toBe(false);
    expect(await json('service', 'heal', 'pair')).toMatchObject({ name: 'pair' });
    expect(await fail('service heal pair --function three')).toMatchObject({
      code: 5,
      stderr: expect.stringContaining('pair has no function "three"; it has one, two'),
    });
  }, 40_000);
});

describe('iotmano ps, logs and events', () => {
  it('ps lists the copies of all functions, or of one service', async () => {
    const { stdout } = await run('ps');
    expect(stdout).toMatch(/^NAME +SERVICE +STATE +HOST +VIM +RESTARTS +AGE +ENDPOINTS +REASON$/m);
    expect(stdout).toMatch(/^two-main-0 +pair +RUNNING +gw-1 +agent +0 +\d+s +http=127\.0\.0\.1:\d+ +-$/m);
    expect(await json('ps', '--service', 'pair')).toHaveLength(2);
    expect((await run('ps', '--service', 'other')).stdout).toBe('nothing to show\n');
    expect(await json('ps', '--service', 'other')).toEqual([]);
  });

  it('logs shows the output of a copy, goes on with --follow, and names the copies there are', async () => {
    const data = ['--agent-data', path('gw-1')];
    expect((await run('logs', 'two-main-0', ...data)).stdout).toMatch(/^tiny function serve \d+$/m);
    const followed = follow('logs', 'one-main-0', '--follow', '--tail', '1', ...data);
    await eventually('there is output', () => followed().includes('tiny function'));
    const [copy] = (await system.copies('pair')).filter((other) => other.function === 'one');
    const { pid } = copy === undefined ? { pid: 0 } : await system.ask(copy);
    process.kill(pid, 'SIGKILL');
    await eventually('the output of the next one comes', () => /(serve \d+\n[^]*){2}/.test(followed()));
    expect(await fail('logs two-main-0')).toMatchObject({
      code: 6,
      stderr: expect.stringMatching(/kind logs are switched off.*iotmano diagnostics on logs/),
    });
    expect(await fail('logs nobody')).toMatchObject({ code: 5 });
    const { code, stderr } = await fail(`logs nobody ${data.join(' ')}`);
    expect(stderr).toMatch(/no function called "nobody".*one-main-0/);
    expect(code).toBe(5);
  }, 40_000);

  it('events tells what has happened, as lines or as JSON, from where one says', async () => {
    const { stdout } = await run('events');
    expect(stdout).toMatch(/^\d+ ns-instance \S+ change=written state=INSTANTIATED name=pair$/m);
    expect(stdout).toMatch(/^\d+ vnf-lcm-op-occ \S+ change=written state=COMPLETED operation=HEAL/m);
    const events = (await run('events', '-o', 'json')).stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { revision: number });
    const since = events.at(-3)?.revision ?? 0;
    const rest = (await run('events', '--since', String(since))).stdout.trim().split('\n');
    expect(rest.every((line) => Number(line.split(' ')[0]) > since)).toBe(true);
    expect(await fail('events --since 999999999')).toMatchObject({ code: 5 });
  });

  it('events --follow goes on over a kill of the orchestrator, and misses nothing', async () => {
    const followed = follow('events', '--follow');
    await eventually('it is connected', async () => {
      await run('host', 'drain', 'gw-1');
      await run('host', 'undrain', 'gw-1');
      return followed().includes('draining=true');
    });
    await system.orchestrator().kill();
    await system.startOrchestrator();
    await eventually('the agent is back', async () =>
      (await system.copies('pair')).every(({ state }) => state === 'RUNNING'),
    );
    await run('token', 'create', 'unseen', '--role', 'viewer');
    const before = followed().length;
    await run('host', 'drain', 'gw-1');
    await eventually('it hears again', () => followed().slice(before).includes('draining=true'));
    await run('host', 'undrain', 'gw-1');
    const revisions = followed()
      .trim()
      .split('\n')
      .map((line) => Number(line.split(' ')[0]));
    expect(revisions).toEqual(revisions.toSorted((one, other) => one - other));
  }, 60_000);

  it('a deployment is followed over a kill of the orchestrator', async () => {
    const deploying = run('service', 'deploy', 'pair', '--name', 'second', '-o', 'json');
    await eventually('it has begun', async () => (await system.copies('second').catch(() => [])).length > 0);
    await system.orchestrator().kill();
    await system.startOrchestrator();
    expect(JSON.parse((await deploying).stdout)).toMatchObject({ name: 'second' });
    expect(await json('ps', '--service', 'second')).toHaveLength(2);
    await run('service', 'rm', 'second');
  }, 60_000);

  it('what never becomes ready is told as that, and service rm ends it', async () => {
    const deaf = await buildTinyFunction(path('packages'), 'deaf', { args: ['deaf'] });
    await run('package', 'onboard', deaf, writeService('mute', [{ name: 'deaf' }]));
    const waited = await fail('service deploy mute --timeout 2');
    expect(waited.stderr).toMatch(/is still PROCESSING after 2 s; it goes on/);
    expect(waited.code).toBe(1);
    const { stderr } = await run('service', 'rm', 'mute');
    expect(stderr).toMatch(/^cancelling INSTANTIATE, which is under way$/m);
    expect(await json('ps', '--service', 'mute')).toEqual([]);
  }, 60_000);

  it('what has failed is told with its reason, and service rm removes it', async () => {
    const job = { args: ['exit', '4'], more: { run: { mode: 'job' }, healing: { restart: { times: 1 } } } };
    const bad = await buildTinyFunction(path('packages'), 'bad', job);
    await run('package', 'onboard', bad, writeService('failing', [{ name: 'bad' }]));
    const { code, stderr } = await fail('service deploy failing');
    expect(stderr).toMatch(/INSTANTIATE ended as FAILED_TEMP: .*4/);
    expect(stderr).toContain('failing is left as it is: see "iotmano service show failing"');
    expect(code).toBe(1);
    expect((await run('service', 'rm', 'failing')).stderr).toContain('failing is gone\n');
  }, 60_000);

  it('service rm terminates, deletes and leaves nothing running', async () => {
    const pids = await Promise.all(
      (await system.copies('pair')).map(async (copy) => (await system.ask(copy)).pid),
    );
    const { stderr } = await run('service', 'rm', 'pair');
    expect(stderr).toMatch(/^ {2}one-main-0: gone$/m);
    expect(stderr).toContain('pair is gone\n');
    expect(pids.filter(isAlive)).toEqual([]);
    expect(await json('service', 'list')).toEqual([]);
    expect((await run('ps')).stdout).toBe('nothing to show\n');
  }, 40_000);
});

describe('iotmano host revoke', () => {
  it('is told by iotmano hosts', async () => {
    const { stdout: token } = await run('token', 'enrol', '--host-id', 'gw-9');
    writeFileSync(path('gw-9.token'), token);
    await run(
      ...`agent enrol --host-id gw-9 --data ${path('gw-9')} --token-file ${path('gw-9.token')}`.split(' '),
    );
    await run('host', 'revoke', 'gw-9');
    expect((await run('hosts')).stdout).toMatch(/^gw-9 .* is revoked until it is enrolled with a new key$/m);
  });
});

describe('an agent and an orchestrator that run', () => {
  it('end with 0 on SIGTERM', async () => {
    const data = path('another');
    const child = spawn(
      process.execPath,
      [join(import.meta.dirname, '../bin/iotmano.js'), 'up', '--listen', '127.0.0.1:0', '--data', data],
      { env: system.environment, stdio: ['ignore', 'ignore', 'pipe'] },
    );
    followers.push(child);
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
    await eventually('it runs', () =>
      /orchestrator on http:\/\/127\.0\.0\.1:\d+, admin token in /.test(said),
    );
    const closed = once(child, 'close');
    child.kill('SIGTERM');
    expect((await closed)[0]).toBe(0);
  });
});
