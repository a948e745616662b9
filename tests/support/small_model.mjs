// Chat Completions over a small model, enough for one test: node serve.mjs MODEL.gguf
import {createServer} from "node:http";
import {getLlama, LlamaChatSession} from "node-llama-cpp";

const llama = await getLlama({gpu: false, build: "never", maxThreads: 2});
const model = await llama.loadModel({modelPath: process.argv[2]});

async function complete(body) {
  const [system, user] = body.messages.map((message) => message.content);
  const context = await model.createContext({contextSize: 4096});
  try {
    const session = new LlamaChatSession({contextSequence: context.getSequence(), systemPrompt: system});
    const schema = body.response_format?.json_schema?.schema;
    const grammar = schema && await llama.createGrammarForJsonSchema(schema);
    return await session.prompt(user, {grammar, maxTokens: body.max_tokens ?? 200, temperature: 0});
  } finally {
    await context.dispose();
  }
}

const server = createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", async () => {
    try {
      const content = await complete(JSON.parse(Buffer.concat(parts).toString()));
      const message = {role: "assistant", content};
      response.end(JSON.stringify({id: "x", object: "chat.completion", choices: [{index: 0, message}]}));
    } catch (error) {
      response.statusCode = 500;
      response.end(JSON.stringify({error: {message: String(error)}}));
    }
  });
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
