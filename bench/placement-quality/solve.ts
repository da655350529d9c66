import loadHighs from 'highs';
import type { Placement } from '../../orchestrator/placement/index.ts';
import { buildModel } from './model.ts';
import type { Instance } from './instances.ts';

export type Solution =
  | {
      readonly status: 'optimal';
      readonly objective: number;
      readonly additions: readonly Placement[];
      readonly floor: number;
    }
  | { readonly status: 'infeasible' }
  /** Not known in time. */
  | { readonly status: 'unsolved' };

/** Solves instances exactly, each in so many seconds at most. */
export async function createSolver(seconds: number): Promise<(instance: Instance) => Solution> {
  // Its types describe the CommonJS entry, where the function is a property; what is imported here is the function.
  const load = loadHighs as unknown as typeof loadHighs.default;
  const highs = await load();
  return ({ snapshot, problem }) => {
    const { program, floor, additions } = buildModel(snapshot, problem);
    const result = highs.solve(program.toString(), {
      output_flag: false,
      mip_rel_gap: 0,
      mip_abs_gap: 1e-7,
      time_limit: seconds,
    });
    if (result.Status === 'Infeasible') return { status: 'infeasible' };
    if (result.Status !== 'Optimal') return { status: 'unsolved' };
    const valueOf = (variable: string): number => {
      const column = result.Columns[variable];
      return column !== undefined && 'Primal' in column ? column.Primal : 0;
    };
    return { status: 'optimal', objective: result.ObjectiveValue, additions: additions(valueOf), floor };
  };
}
