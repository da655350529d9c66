import { createHash } from 'node:crypto';
import { NotApplicable, must, type Binding } from '../../case.ts';
import { told, type PlayedHost, type Schemas } from '../played-host.ts';
import { obey } from '../obedience.ts';
import type { OrchestratorCase } from '../stage.ts';

type Wanted = Schemas['wanted'];

const NO_FILE = `sha256:${'0'.repeat(64)}`;

export const artifactCases: readonly OrchestratorCase[] = [
  {
    id: 'file-that-is-not-there-is-404',
    title: 'A file that no function of the host needs is answered with 404.',
    requirements: ['MCO-O-060'],
    async play(stage, { check }) {
      const host = await stage.readyHost();
      const answer = await host.send('retrieveArtifact', {
        digest: NO_FILE,
        ...(stage.binding === 'nats' ? { range: 'bytes=0-99' } : {}),
      });
      check('MCO-O-060', answer.status === 404, `${told(answer)}; 404 was to be expected`);
    },
  },
  {
    id: 'assigned-host-keeps-its-file-and-its-place',
    title:
      'The file of an assigned function is given to its host, whole and in any one range, and 404 to another; the host is not forgotten while it is assigned, but set draining.',
    requirements: ['MCO-O-060', 'MCO-O-061', 'MCO-O-070'],
    needs: ['assign', 'unassign'],
    isWaiting: true,
    async play(stage, { check }) {
      const [host, other] = [await stage.enrolledHost(), await stage.enrolledHost()];
      await host.comeUp();
      await other.comeUp();
      const obedient = obey(stage, host, await host.expect<Wanted>(200, 'getWanted'));
      await stage.operator.do('assign', host.hostId);
      const wanted = await host.expect<Wanted>(200, 'getWanted');
      must(wanted.assignments.length > 0, 'nothing was assigned');
      const refused = await host.send('leave');
      check('MCO-O-070', refused.status === 409, `a host with functions that leaves: ${told(refused)}`);
      const file = fileOf(wanted);
      if (file !== undefined) {
        const content = await judgeWhole(host, file, check);
        if (content !== undefined) await judgeRanges(stage.binding, host, file.digest, content, check);
        const foreign = await other.send('retrieveArtifact', {
          digest: file.digest,
          ...(stage.binding === 'nats' ? { range: 'bytes=0-99' } : {}),
        });
        check('MCO-O-060', foreign.status === 404, `the file of another host: ${told(foreign)}`);
      }
      const draining = await host.send('leave', { query: { drain: 'true' } });
      check(
        'MCO-O-070',
        draining.status === 202,
        `a host with functions that leaves with drain: ${told(draining)}`,
      );
      await stage.operator.do('unassign', host.hostId);
      obedient.end();
      if (file === undefined)
        throw new NotApplicable(
          'what the action "assign" assigned has no file: let it assign a function that has one',
        );
    },
  },
];

type Check = (requirement: string, holds: boolean, message: string) => void;

function fileOf({ assignments }: Wanted): Schemas['artifact-reference'] | undefined {
  return assignments.map(({ workload }) => workload.spec.artifact.files).find((each) => each !== undefined);
}

async function judgeWhole(
  host: PlayedHost,
  { digest, sizeBytes }: Schemas['artifact-reference'],
  check: Check,
): Promise<Buffer | undefined> {
  const answer = await host.send('retrieveArtifact', { digest });
  check('MCO-O-060', answer.status === 200, `the file of its own function: ${told(answer)}`);
  if (answer.status !== 200) return undefined;
  const found = `sha256:${createHash('sha256').update(answer.bytes).digest('hex')}`;
  check(
    'MCO-O-060',
    found === digest && answer.bytes.length === sizeBytes,
    `${answer.bytes.length} bytes with digest ${found}, where ${sizeBytes} with ${digest} were to be expected`,
  );
  return answer.bytes;
}

/** Over NATS a range names its last byte, too. */
async function judgeRanges(
  binding: Binding,
  host: PlayedHost,
  digest: string,
  content: Buffer,
  check: Check,
): Promise<void> {
  const middle = Math.floor(content.length / 2);
  const last = content.length - 1;
  const near = Math.min(last, middle + 999);
  const ranges: readonly (readonly [string, number, number])[] = [
    binding === 'nats' ? [`bytes=${middle}-${near}`, middle, near] : [`bytes=${middle}-`, middle, last],
    [`bytes=0-0`, 0, 0],
    binding === 'nats' ? [`bytes=${last}-${last}`, last, last] : [`bytes=-1`, last, last],
  ];
  for (const [range, from, to] of ranges) {
    const answer = await host.send('retrieveArtifact', { digest, range });
    const isRight = answer.status === 206 && answer.bytes.equals(content.subarray(from, to + 1));
    check('MCO-O-061', isRight, `${range}: ${told(answer)}, ${answer.bytes.length} bytes`);
    const named = answer.headers['content-range'];
    check(
      'MCO-O-061',
      answer.status !== 206 || named === `bytes ${from}-${to}/${content.length}`,
      `${range}: Content-Range is ${String(named)}`,
    );
  }
  const beyond = await host.send('retrieveArtifact', {
    digest,
    range: `bytes=${content.length + 10}-${binding === 'nats' ? content.length + 20 : ''}`,
  });
  check('MCO-O-061', beyond.status === 416, `a range beyond the end: ${told(beyond)}`);
}
