import type { Reporter, SerializedError, TestModule } from 'vitest/node';

/** Ends the output with `N passed, N failed`, counted from what really ran. */
export default class CountReporter implements Reporter {
  // Holds until a run has ended: a set-up that throws before the first test is a failure too.
  #counts = { passed: 0, failed: 1 };

  onInit(): void {
    // At exit: after the other reporters, and after whatever the teardown prints.
    process.once('exit', () => {
      if (this.#counts.failed > 0 && process.exitCode === undefined) process.exitCode = 1;
      process.stdout.write(`${String(this.#counts.passed)} passed, ${String(this.#counts.failed)} failed\n`);
    });
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const count = (state: string): number => tests.filter((test) => test.result().state === state).length;
    // A file or suite that could not be set up has failed, even if none of its tests ran.
    const brokenSuites = modules
      .flatMap((module) => [module, ...module.children.allSuites()])
      .filter((suite) => suite.errors().length > 0).length;
    const failed = count('failed') + brokenSuites + unhandled.length;
    // No test at all is no success.
    this.#counts = { passed: count('passed'), failed: tests.length === 0 ? Math.max(failed, 1) : failed };
  }
}
