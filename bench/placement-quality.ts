/**
 * `npm run bench:placement-quality`: how good plans are beside the exact optimum. Small problems of several kinds are solved by HiGHS, as mixed-integer programs,
 * and by the engine; one evaluator (`ratePlan`) rates both plans by the engine's own score, its tie-breakers left out, and one checker looks for broken
 * hard rules in both. A ratio is that of what the two plans are worth above a floor: the sum of the least that each part of the score can be for each
 * instance (its worst suitable host; all of its instances in one domain; every affinity against it), so that both are positive. The objective that HiGHS
 * reports has to equal the rating of its plan: the two were written apart.
 */
import { parseArgs } from 'node:util';
import { IotmanoError } from '../kernel/index.ts';
import { planPlacement, ratePlan, type PlacementResult } from '../orchestrator/placement/index.ts';
import { checkPlan } from '../test/kit/plan-checker.ts';
import { describeEnvironment } from './environment.ts';
import { BUILDERS, buildInstance, type Instance, type Kind } from './placement-quality/instances.ts';
import { createSolver, type Solution } from './placement-quality/solve.ts';
import { median, rounded } from './statistics.ts';

const { values } = parseArgs({
  options: {
    scale: { type: 'string', default: '1' },
    each: { type: 'string', default: '12' },
    steps: { type: 'string', default: '2000' },
    improvement: { type: 'string' },
    seed: { type: 'string', default: '1' },
  },
});
const scale = Number(values.scale);
const each = Number(values.each);
const steps = Number(values.steps);
/** Of the steps, for a better plan where one is found at once. */
const improvement = Number(values.improvement ?? values.steps);
const seed = Number(values.seed);
if (!(scale > 0)) throw new IotmanoError('invalid-parameter', '--scale must be a number above 0');
if (![each, steps, improvement, seed].every((count) => Number.isInteger(count) && count >= 0) || each === 0)
  throw new IotmanoError(
    'invalid-parameter',
    '--each must be a whole number above 0, --steps, --improvement and --seed 0 or more',
  );
const environment = { ...describeEnvironment(), scale, steps, improvement, seed };

/** The solver gives up on one instance then; the whole run stays within three minutes. */
const SECONDS_EACH = 10;
const MILLISECONDS_IN_ALL = 165_000;

interface Row {
  readonly kind: Kind;
  readonly solution: Solution['status'];
  /** Of the optimum; undefined: no plan. */
  readonly ratio?: number | undefined;
  readonly greedyRatio?: number | undefined;
  readonly fits: boolean;
  readonly greedyFits: boolean;
  readonly planMs: number;
  readonly solveMs: number;
}

/** Milliseconds of processor time: others on the same machine do not count. */
function timed<T>(run: () => T): readonly [T, number] {
  const begin = process.cpuUsage();
  const result = run();
  const { user, system } = process.cpuUsage(begin);
  return [result, (user + system) / 1000];
}

function requireRight(
  { kind, seed, snapshot, problem }: Instance,
  who: string,
  result: PlacementResult,
): void {
  const faults = result.fits ? checkPlan(snapshot.hosts, problem, result.additions) : [];
  if (faults.length > 0)
    throw new IotmanoError('internal', `${who} broke a rule of ${kind} ${seed}: ${faults.join('; ')}`);
}

function measure(instance: Instance, solve: (instance: Instance) => Solution): Row {
  const { kind, snapshot, problem } = instance;
  const [solution, solveMs] = timed(() => solve(instance));
  const greedy = planPlacement(snapshot, problem);
  const [result, planMs] = timed(() =>
    planPlacement(snapshot, problem, { searchSteps: steps, improvementSteps: improvement, seed }),
  );
  requireRight(instance, 'the engine', result);
  const base = {
    kind,
    solution: solution.status,
    planMs,
    solveMs,
    fits: result.fits,
    greedyFits: greedy.fits,
  };
  if (solution.status === 'infeasible' && result.fits)
    throw new IotmanoError('internal', `HiGHS finds no plan for ${kind} ${instance.seed}, the engine does`);
  if (solution.status !== 'optimal') return base;
  const { additions, objective, floor } = solution;
  requireRight(instance, 'HiGHS', { fits: true, additions, removals: [], evictions: [], skipped: [] });
  const best = ratePlan(snapshot, problem, additions);
  if (Math.abs(best - objective) > 1e-4)
    throw new IotmanoError(
      'internal',
      `${kind} ${instance.seed}: HiGHS says ${objective}, its plan rates ${best}`,
    );
  const ratioOf = (plan: PlacementResult): number | undefined => {
    if (!plan.fits || checkPlan(snapshot.hosts, problem, plan.additions).length > 0) return undefined;
    const rating = ratePlan(snapshot, problem, plan.additions);
    return best - floor < 1e-6 ? 1 : (rating - floor) / (best - floor);
  };
  return { ...base, ratio: ratioOf(result), greedyRatio: ratioOf(greedy) };
}

const mean = (list: readonly number[]): number => list.reduce((sum, value) => sum + value, 0) / list.length;
const worst = (list: readonly number[]): number => Math.min(...list);
const toFour = (value: number): number => rounded(value, 4);

function summarise(rows: readonly Row[]): Record<string, number> {
  const solved = rows.filter(({ solution }) => solution === 'optimal');
  const ratios = solved.flatMap(({ ratio }) => ratio ?? []);
  const greedy = solved.flatMap(({ greedyRatio }) => greedyRatio ?? []);
  const times = rows.map(({ planMs }) => planMs);
  return {
    instances: rows.length,
    feasible: solved.length,
    infeasible: rows.filter(({ solution }) => solution === 'infeasible').length,
    unsolved: rows.filter(({ solution }) => solution === 'unsolved').length,
    meanRatio: toFour(mean(ratios)),
    worstRatio: toFour(worst(ratios)),
    optimalShare: toFour(ratios.filter((ratio) => ratio > 1 - 1e-6).length / solved.length),
    wronglyInfeasible: solved.length - ratios.length,
    greedyMeanRatio: toFour(mean(greedy)),
    greedyWorstRatio: toFour(worst(greedy)),
    greedyWronglyInfeasible: solved.length - greedy.length,
    planMedianCpuMs: toFour(median(times)),
    planMaxCpuMs: toFour(Math.max(...times)),
    solveCpuSeconds: toFour(rows.reduce((sum, { solveMs }) => sum + solveMs, 0) / 1000),
  };
}

const solve = await createSolver(SECONDS_EACH);
const begin = performance.now();
const rows: Row[] = [];
for (let round = 0; round < each; round += 1)
  for (const kind of Object.keys(BUILDERS) as Kind[]) {
    if (performance.now() - begin > MILLISECONDS_IN_ALL) continue;
    const row = measure(buildInstance(kind, 1000 * seed + round, scale), solve);
    rows.push(row);
    process.stderr.write(
      `${kind} ${1000 * seed + round}: ${row.solution} in ${row.solveMs.toFixed(0)} ms; engine ${row.ratio?.toFixed(4) ?? 'no plan'} in ${row.planMs.toFixed(0)} ms; greedy ${row.greedyRatio?.toFixed(4) ?? 'no plan'}\n`,
    );
  }
const byKind = Object.fromEntries(
  (Object.keys(BUILDERS) as Kind[]).map((kind) => [kind, summarise(rows.filter((row) => row.kind === kind))]),
);
const figures = { ...summarise(rows), byKind };
process.stdout.write(`${JSON.stringify({ bench: 'placement-quality', figures, environment })}\n`);
