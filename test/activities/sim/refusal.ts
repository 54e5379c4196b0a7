import type { FailureType } from '../../../domain/failure.ts';

/** What the helper answers as `fail`. */
export class HelperRefusal extends Error {
  readonly type: FailureType;
  constructor(type: FailureType, message: string) {
    super(message);
    this.type = type;
  }
}
