/* Fields of log lines as JSON; what a stage and a failure say in either form. */
#include "base/log.h"
#include "base/log_fields.h"
#include "unit/sample.h"
#include "unit/suites.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void expect_fields(const char *text, const char *json)
{
    Buffer found = {0};
    log_fields_json(bytes_of(text), &found);
    CU_ASSERT_STRING_EQUAL(buffer_string(&found), json);
    if (strcmp(buffer_string(&found), json) != 0)
        printf("\n  %s gives %s\n", text, buffer_string(&found));
    buffer_free(&found);
}

static void test_types(void)
{
    expect_fields("", "");
    expect_fields("rows=7", ",\"rows\":7");
    expect_fields("a=-1 b=0.25 c=1e-05 d=0", ",\"a\":-1,\"b\":0.25,\"c\":1e-05,\"d\":0");
    expect_fields("run=000012 x=01 y=1. z=.5 e=1e",
                  ",\"run\":\"000012\",\"x\":\"01\",\"y\":\"1.\",\"z\":\".5\",\"e\":\"1e\"");
    expect_fields("changed=yes kept=no", ",\"changed\":true,\"kept\":false");
    expect_fields("loss=nan more=-inf", ",\"loss\":null,\"more\":null");
    expect_fields("empty= next=1", ",\"empty\":\"\",\"next\":1");
    expect_fields("run=000001-4c ", ",\"run\":\"000001-4c\"");
}

static void test_texts(void)
{
    expect_fields("note=\"goes on at 3\" n=3", ",\"note\":\"goes on at 3\",\"n\":3");
    expect_fields("note=\"a \"b\"c, d\"", ",\"note\":\"a \\\"b\\\"c, d\"");
    expect_fields("note=\"never closed n=3", ",\"note\":\"never closed n=3\"");
    expect_fields("left_out=3 each has 4 n=5", ",\"left_out\":3,\"n\":5,\"text\":\"each has 4\"");
    expect_fields("path=a\\b\x01\xff\xc3\xa9", ",\"path\":\"a\\\\b\\u0001\\ufffd\xc3\xa9\"");
    expect_fields("path=\xe2\x82", ",\"path\":\"\\ufffd\\ufffd\"");
    expect_fields("A=1 =2", ",\"text\":\"A=1 =2\"");
}

/* What is added as text comes back as that text, as one string. */
static void test_text_comes_back(void)
{
    static const char *const texts[] = {
        "/data/shop", "/my shop/x=1 y=2",   "5",           "yes", "nan",
        "",           "ends with a blank ", "caf\xc3\xa9", "a\\b"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        Buffer fields = {0}, found = {0}, expected = {0};
        log_fields_add_text("store", texts[i], &fields);
        buffer_append_string(&fields, " n=1");
        log_fields_json(buffer_view(&fields), &found);
        buffer_append_string(&expected, ",\"store\":");
        log_text_json(bytes_of(texts[i]), &expected);
        buffer_append_string(&expected, ",\"n\":1");
        CU_ASSERT_STRING_EQUAL(buffer_string(&found), buffer_string(&expected));
        buffer_free(&fields);
        buffer_free(&found);
        buffer_free(&expected);
    }
    Buffer fields = {0};
    log_fields_add_text("store", "a \"b\" c\nd", &fields); /* quotes and controls give way */
    CU_ASSERT_STRING_EQUAL(buffer_string(&fields), "store=\"a 'b' c d\"");
    buffer_free(&fields);
}

static void speak(void)
{
    Error error;
    log_begin_stage("sales");
    log_end_stage("sales", 1, 1.5, 2, "lines=9");
    log_line(LOG_INFO, LOG_RANK, "ingest", "rows=8");
    log_begin_stage("publish");
    (void)!error_set(&error, STATUS_IO, "f.c", 3, "disk \"full\"");
    error.rank = 2;
    log_failure(&error);
}

static void capture(char *text, size_t size)
{
    FILE *file = tmpfile();
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    int saved = dup(STDERR_FILENO);
    dup2(fileno(file), STDERR_FILENO);
    speak();
    dup2(saved, STDERR_FILENO);
    close(saved);
    rewind(file);
    text[fread(text, 1, size - 1, file)] = '\0';
    fclose(file);
}

static void test_lines(void)
{
    char text[2048];
    LogFormat format;
    Error error;
    CU_ASSERT_EQUAL(log_format_parse("json", &format, &error), STATUS_OK);
    CU_ASSERT_EQUAL(format, LOG_JSON);
    CU_ASSERT_EQUAL(log_format_parse("xml", &format, &error), STATUS_USAGE);
    CU_ASSERT_EQUAL(log_format_parse("text", &format, &error), STATUS_OK);
    CU_ASSERT_EQUAL(format, LOG_TEXT);

    log_init(0, LOG_INFO);
    capture(text, sizeof text);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text, "Z info sales seconds=1.500 min=1.000 max=2.000 lines=9\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\nvesper: disk \"full\"\n"));

    log_set_format(LOG_JSON, "nightly");
    capture(text, sizeof text);
    log_set_format(LOG_TEXT, "");
    CU_ASSERT_PTR_NOT_NULL(strstr(
        text, "Z\",\"level\":\"info\",\"job\":\"nightly\",\"stage\":\"sales\",\"seconds\":1.500,"
              "\"seconds_min\":1.000,\"seconds_max\":2.000,\"lines\":9}\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"stage\":\"ingest\",\"rank\":0,\"rows\":8}\n"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text, "\"level\":\"error\",\"job\":\"nightly\",\"stage\":\"publish\","
                     "\"status\":\"io\",\"code\":4,\"rank\":2,\"file\":\"f.c\",\"line\":3,"
                     "\"message\":\"disk \\\"full\\\"\"}\n"));
    CU_ASSERT_EQUAL(strncmp(text, "{\"time\":\"20", 11), 0);
    CU_ASSERT_EQUAL(strncmp(text + 28, ".", 1), 0);
}

CU_TestInfo log_fields_tests[] = {
    {"types", test_types}, {"texts", test_texts}, {"text comes back", test_text_comes_back},
    {"lines", test_lines}, CU_TEST_INFO_NULL,
};
