import type { coreSettings } from '../config/core-settings.ts';
import type { SettingsValues } from '../config/setting.ts';
import type { Database } from '../store/database.ts';
import { checkModel } from './llm/check-model.ts';
import { type ModelSettings, modelEndpoint } from './llm/model-endpoint.ts';
import { createRetrievalRuntime } from './retrieval/retrieval-runtime.ts';
import type { Runtime } from './runtime.ts';

type RuntimeSettings = ModelSettings & Pick<SettingsValues<typeof coreSettings>, 'MODEL_STEP_LIMIT' | 'MODEL_DEADLINE'>;

/**
 * The runtime that the settings ask for: `llm` with MODEL, else `retrieval`. The model is looked for now, so that a wrong name or
 * key ends the start and not the first Activation. The `ai` package (some 200 ms) is loaded only where it is used.
 *
 * @returns the runtime, and what could not be checked.
 * @throws ConfigurationError when MODEL is malformed, its endpoint refuses or does not have it.
 */
export async function chooseRuntime(
  settings: RuntimeSettings,
  database: Database,
): Promise<{ runtime: Runtime; warnings: string[] }> {
  const { MODEL } = settings;
  if (MODEL === undefined) return { runtime: createRetrievalRuntime({ database }), warnings: [] };
  const endpoint = modelEndpoint({ ...settings, MODEL });
  const [warning, { createLlmRuntime }] = await Promise.all([checkModel(endpoint), import('./llm/llm-runtime.ts')]);
  const runtime = await createLlmRuntime({
    endpoint,
    stepLimit: settings.MODEL_STEP_LIMIT,
    deadlineMs: settings.MODEL_DEADLINE * 1000,
  });
  return { runtime, warnings: warning === undefined ? [] : [warning] };
}
