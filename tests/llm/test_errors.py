"""Tests that each server's own words for an error get the right code."""

import json
from typing import Any

import pytest

from llamora.llm.errors import error_for_response

# Where these words are from, and how the server sends them.
REFUSALS: dict[str, tuple[int, Any, str]] = {
    "llama.cpp": (
        400,
        {
            "error": {
                "code": 400,
                "message": "the request exceeds the available context size, try increasing it",
                "type": "exceed_context_size_error",
                "n_prompt_tokens": 9000,
                "n_ctx": 4096,
            }
        },
        "too_long",
    ),
    "llama-cpp-python": (
        400,
        {"error": {"message": "Requested tokens (9000) exceed context window of 4096"}},
        "too_long",
    ),
    "TGI": (
        422,
        {
            "error": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. "
            "Given: 9000 `inputs` tokens and 700 `max_new_tokens`",
            "error_type": "validation",
        },
        "too_long",
    ),
    "TGI, its input alone": (
        422,
        {"error": "Input validation error: `inputs` must have less than 4095 tokens. Given: 9000"},
        "too_long",
    ),
    "Anthropic": (
        400,
        {
            "type": "error",
            "error": {
                "type": "invalid_request_error",
                "message": "prompt is too long: 208310 tokens > 200000 maximum",
            },
        },
        "too_long",
    ),
    "Anthropic, with the reply": (
        400,
        {"error": {"message": "input length and `max_tokens` exceed context limit: 199500 + 700 > 200000"}},
        "too_long",
    ),
    "Gemini": (
        400,
        [
            {
                "error": {
                    "code": 400,
                    "message": "The input token count (1200000) exceeds the maximum number of tokens allowed "
                    "(1048576).",
                    "status": "INVALID_ARGUMENT",
                }
            }
        ],
        "too_long",
    ),
    "OpenAI": (
        400,
        {
            "error": {
                "message": "This model's maximum context length is 8192 tokens. However, your messages "
                "resulted in 9000 tokens. Please reduce the length of the messages.",
                "param": "messages",
                "code": "context_length_exceeded",
            }
        },
        "too_long",
    ),
    "vLLM": (
        400,
        {
            "object": "error",
            "message": "'max_tokens' or 'max_completion_tokens' is too large: 700. This model's maximum "
            "context length is 4096 tokens and your request has 9000 input tokens.",
            "type": "BadRequestError",
            "code": 400,
        },
        "too_long",
    ),
    "vLLM, older": (
        400,
        {"message": "The decoder prompt (length 9000) is longer than the maximum model length of 4096."},
        "too_long",
    ),
    "SGLang": (
        400,
        {"message": "The input (9000 tokens) is longer than the model's context length (4096 tokens)."},
        "too_long",
    ),
    "LM Studio": (
        400,
        {
            "error": "Trying to keep the first 9000 tokens when context the overflows. However, the model is "
            "loaded with context length of only 4096 tokens, which is not enough."
        },
        "too_long",
    ),
    "LM Studio, older": (
        500,
        {"error": "Trying to keep the first 9000 tokens when context overflows."},
        "too_long",
    ),
    "Ollama": (400, {"error": {"message": "the input length exceeds the context length"}}, "too_long"),
    "Ollama, newer": (
        500,
        {"error": "prompt too long; exceeded max context length by 700 tokens"},
        "too_long",
    ),
    "Mistral": (
        400,
        {
            "object": "error",
            "message": "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 "
            "maximum context length",
            "type": "invalid_request_error",
        },
        "too_long",
    ),
    "Groq": (
        400,
        {
            "error": {
                "message": "Please reduce the length of the messages or completion.",
                "type": "invalid_request_error",
                "param": "messages",
                "code": "context_length_exceeded",
            }
        },
        "too_long",
    ),
    "Groq, by its limit of a minute": (
        413,
        {"error": {"message": "Request too large for model"}},
        "too_long",
    ),
    "OpenRouter": (
        400,
        {
            "error": {
                "message": "This endpoint's maximum context length is 32768 tokens. However, you requested "
                "about 40000 tokens.",
                "code": 400,
            }
        },
        "too_long",
    ),
    "xAI": (
        400,
        {"error": "This model's maximum prompt length is 131072 but the request contains 200000 tokens."},
        "too_long",
    ),
    "Cohere": (
        400,
        {"message": "too many tokens: total number of tokens in the prompt cannot exceed 4081"},
        "too_long",
    ),
    "Bedrock": (400, {"message": "Input is too long for requested model."}, "too_long"),
    "TabbyAPI": (400, {"detail": "Prompt length 9000 is greater than max_seq_len 4096"}, "too_long"),
    "Ollama without memory": (
        500,
        {"error": "model requires more system memory (8.0 GiB) than is available (3.4 GiB)"},
        "out_of_memory",
    ),
    "vLLM without memory": (
        500,
        {"message": "CUDA out of memory. Tried to allocate 2.00 GiB"},
        "out_of_memory",
    ),
    "LM Studio without memory": (
        400,
        {"error": "Model loading was stopped due to insufficient system resources."},
        "out_of_memory",
    ),
    "Ollama without the model": (
        404,
        {"error": {"message": 'model "heron" not found, try pulling it first', "type": "not_found_error"}},
        "no_such_model",
    ),
    "Mistral without the model": (400, {"message": "Invalid model: heron"}, "no_such_model"),
    "OpenRouter without the model": (
        400,
        {"error": {"message": "heron is not a valid model ID", "code": 400}},
        "no_such_model",
    ),
    "Gemini with a wrong key": (
        400,
        [{"error": {"message": "API key not valid. Please pass a valid API key."}}],
        "unauthorized",
    ),
    "OpenAI with a wrong key": (401, {"error": {"message": "Incorrect API key provided"}}, "unauthorized"),
    "Azure's filter": (
        400,
        {"error": {"code": "content_filter", "message": "The response was filtered"}},
        "content_filter",
    ),
    "TGI, overloaded": (429, {"error": "Model is overloaded", "error_type": "overloaded"}, "busy"),
    "Anthropic, overloaded": (529, {"error": {"type": "overloaded_error"}}, "busy"),
    "a full queue": (503, {"error": "the queue is full"}, "busy"),
    "Hugging Face, loading": (503, {"error": "Model heron is currently loading"}, "loading"),
    "OpenRouter without credit": (
        402,
        {"error": {"message": "Insufficient credits", "code": 402}},
        "no_credit",
    ),
    "OpenAI without credit": (
        429,
        {"error": {"message": "You exceeded your current quota", "code": "insufficient_quota"}},
        "no_credit",
    ),
    "Anthropic without credit": (
        400,
        {"error": {"type": "invalid_request_error", "message": "Your credit balance is too low"}},
        "no_credit",
    ),
    "a gateway that waited too long": (504, "<html>Gateway Time-out</html>", "too_slow"),
    "any other path": (404, {"detail": "Not Found"}, "wrong_address"),
    "a limit of requests that mentions tokens": (
        429,
        {"error": {"message": "Rate limit reached: too many tokens a minute"}},
        "busy",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_gets_its_code(name: str) -> None:
    status, body, code = REFUSALS[name]

    assert error_for_response(status, json.dumps(body).encode()).code == code
