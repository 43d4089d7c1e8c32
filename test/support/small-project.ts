/** Projects of a few files, made to see whether the tools of this one notice what is wrong in them. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const root = join(__dirname, '..', '..');

/** How a command ended. */
export interface CommandResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A directory with some files of ours, some made up, and our installed packages. */
export class SmallProject {
  readonly directory = mkdtempSync(join(tmpdir(), 'quorate-project-'));

  /**
   * @param borrowed files and folders of this project to copy, relative to its root
   * @param written made-up files: path to content
   */
  constructor(borrowed: readonly string[], written: Readonly<Record<string, string>>) {
    for (const path of ['package.json', ...borrowed]) {
      cpSync(join(root, path), join(this.directory, path), { recursive: true });
    }
    symlinkSync(join(root, 'node_modules'), join(this.directory, 'node_modules'));
    for (const [path, content] of Object.entries(written)) this.write(path, content);
  }

  /** Writes one more file. */
  write(path: string, content: string): void {
    const file = join(this.directory, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }

  /** Runs a program in the project, without the settings of a CI around it. */
  run(program: string, ...args: readonly string[]): CommandResult {
    const env = { ...process.env, CI: '', GIT_DIR: undefined, GIT_WORK_TREE: undefined, GIT_INDEX_FILE: undefined };
    const { status, stdout, stderr, error } = spawnSync(program, args, {
      cwd: this.directory,
      env,
      encoding: 'utf8',
      timeout: 120_000,
    });
    if (error !== undefined) throw error;
    return { status, stdout, stderr };
  }

  /** Runs a tool that came with the packages. */
  tool(name: string, ...args: readonly string[]): CommandResult {
    return this.run(process.execPath, join('node_modules', '.bin', name), ...args);
  }

  /** Deletes the directory; the packages are only linked and stay. */
  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}
