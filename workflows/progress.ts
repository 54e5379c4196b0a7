import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import { renderProgress } from '../domain/details.ts';
import { ASKS_A_PERSON } from '../domain/progress.ts';

/** Keeps the run's page in the Temporal UI true: phase, what is done, what follows. */
export class RunPage {
  readonly #title: string;
  readonly #phases: readonly string[];
  readonly #notes: string[] = [];
  #now = '';

  constructor(title: string, phases: readonly string[]) {
    this.#title = title;
    this.#phases = phases;
  }

  enter(phase: string): void {
    upsertSearchAttributes({ StandfastPhase: [phase] });
    this.#now = phase;
    this.#show(phase, null);
  }

  /** Stands still until a person has answered. */
  ask(question: string, next: string): void {
    upsertSearchAttributes({ StandfastPhase: [ASKS_A_PERSON] });
    this.note(question);
    this.#show(this.#now, next);
  }

  note(sentence: string): void {
    this.#notes.push(sentence);
  }

  end(outcome: string, next: string | null = null): void {
    upsertSearchAttributes({ StandfastPhase: ['ended'], StandfastOutcome: [outcome] });
    this.#show('', next);
  }

  #show(now: string, next: string | null): void {
    setCurrentDetails(renderProgress({ title: this.#title, phases: this.#phases, now, notes: this.#notes, next }));
  }
}
