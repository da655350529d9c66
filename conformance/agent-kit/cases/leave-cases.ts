import type { AgentCase } from '../stage.ts';

/** After these the agent is gone. */
export const leaveCases: readonly AgentCase[] = [
  {
    id: 'agent-that-leaves-repeats-until-it-is-empty',
    title: 'An agent that leaves repeats its request until its host is empty.',
    requirements: ['MCO-O-072'],
    needs: ['leave'],
    async play(stage, { check }) {
      await stage.calm();
      await stage.run();
      const releasing = stage
        .until('the agent asks to leave', () => stage.since('leave').length > 0)
        .then(() => stage.assign());
      await stage.command('leave');
      await releasing;
      const statuses = stage.since('leave').map((each) => stage.played.statuses.get(each));
      check(
        'MCO-O-072',
        statuses.includes(202),
        `its requests were answered with ${statuses.join(', ')}: never with 202`,
      );
      check(
        'MCO-O-072',
        statuses.at(-1) === 204,
        `its last request was answered with ${String(statuses.at(-1))}, not 204`,
      );
    },
  },
];
