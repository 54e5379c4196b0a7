import type { FailoverPlan, PlannedStep } from '../domain/plan.ts';
import type { Paint } from './paint.ts';
import { renderVotes } from './render-votes.ts';

export function renderPlan(plan: FailoverPlan, paint: Paint): string {
  const { refusal, ifHostDies, steps, diagnosis } = plan;
  const paragraphs = [
    `${paint.strong(`${plan.cluster}: ${plan.sentence}`)} (nothing was changed)`,
    [
      `  primary:  ${plan.primary}: ${diagnosis.explains} (${diagnosis.code})`,
      `  fence:    ${plan.fence.length === 0 ? paint.bad('no rung is at hand') : plan.fence.join(', or else ')}`,
      `  loss:     ${plan.loss}`,
      ...(ifHostDies === null ? [] : [`  ${paint.warn('without its host')}:  it would refuse: ${ifHostDies.explains}`]),
      ...(refusal === null ? [] : [`  ${paint.bad('refused')}:  ${refusal.explains}`, `  next:     ${refusal.remedy}`]),
    ].join('\n'),
    renderVotes(plan.votes, plan.winner, 'it would be promoted'),
    steps.length === 0 ? '' : ['steps:', ...renderSteps(steps)].join('\n'),
  ];
  return paragraphs.filter((part) => part !== '').join('\n\n');
}

function renderSteps(steps: readonly PlannedStep[]): readonly string[] {
  const width = Math.max(...steps.map(({ step }) => step.length));
  return steps.flatMap(({ step, explains, undone }, at) => [
    ...(undone || steps[at - 1]?.undone !== true ? [] : ['  -- point of no return: before it everything is undone --']),
    `  ${step.padEnd(width)}  ${explains}`,
  ]);
}
