"""All keys and tokens with a known format, in one table with one row for each.

To add a kind, add a row here and an example in ``tests/secrets/formats.py``; a test fails if either is missing. In a
pattern, ``<L>`` is a letter or digit, ``<U>`` also ``-`` and ``_``, ``<H>`` a hexadecimal digit, ``<X>`` the same in
either case, ``<C>`` a capital or digit, ``<l>`` a small letter or digit, ``<B>`` base64, ``<D>`` a digit.

No row requires a checksum: few kinds have one, and where it exists (GitHub, npm), a cut or retyped token fails it. High
entropy alone is not evidence of a secret, because UUIDs, hashes and base64 are common in data science.
"""

from __future__ import annotations

import re

from codevf_nb.privacy._format_rules import EVERYWHERE, Kind, kind
from codevf_nb.privacy._randomness import changes, is_random

GITLEAKS = "gitleaks, rule "  # the open rule set github.com/gitleaks/gitleaks, read in 2026: names and shapes
TRUFFLEHOG = "trufflehog, detector "  # github.com/trufflesecurity/trufflehog, read in 2026: names and shapes


def _has_digit(found: re.Match[bytes]) -> bool:
    return bool(re.search(rb"\d", found[0]))


def _is_no_word(found: re.Match[bytes]) -> bool:
    return bool(re.search(rb"\d|[a-z][A-Z]{2}", found[0]))


def _is_mixed(found: re.Match[bytes]) -> bool:
    return is_random(found["value"], 20)


def _changes_often(found: re.Match[bytes]) -> bool:
    return changes(found[0]) >= 0.2


def _looks_signed(found: re.Match[bytes]) -> bool:
    """Whether a signature belongs to a shared access signature, which also has an expiry date."""
    around = found.string[max(0, found.start() - 600) : found.end() + 400]
    return b"se=" in around or b"sv=" in around


MODELS_AND_DATA = (
    kind(
        "an AI service's key",
        "sk-(?:(?:ant|proj|svcacct|admin|or|lf|live|test|v\\d|[a-z]{2,5}\\d\\d)-)*(?P<value><U>{20,})",
        "platform.openai.com, docs.anthropic.com, openrouter.ai, api-docs.deepseek.com",
        check=_is_mixed,
    ),
    kind("a Groq key", "gsk_<L>{40,}", "console.groq.com/docs"),
    kind("a Replicate token", "r8_<L>{37}", "replicate.com/docs"),
    kind("a Perplexity key", "pplx-<L>{40,}", GITLEAKS + "perplexity-api-key"),
    kind("a Pinecone key", "pcsk_<L>{4,8}_<L>{50,}", "docs.pinecone.io"),
    kind("a Tavily key", "tvly-(?:dev-|prod-)?<L>{28,}", "docs.tavily.com"),
    kind("an xAI key", "xai-<L>{60,}", "docs.x.ai"),
    kind("a Fireworks key", "fw_<L>{22,26}", "docs.fireworks.ai", check=_changes_often),
    kind("an NVIDIA key", "nvapi-<U>{40,}", "docs.nvidia.com"),
    kind("a Kaggle token", "KGAT_<H>{32}", "www.kaggle.com/docs/api"),
    kind("a Hugging Face token", "hf_<L>{30,}", "huggingface.co/docs/hub/security-tokens"),
    kind("a Hugging Face token", "api_org_<L>{34}", GITLEAKS + "huggingface-organization-api-token"),
    kind("an AWS Bedrock key", "ABSK<B>{100,}={0,2}", GITLEAKS + "aws-amazon-bedrock-api-key-long-lived"),
    kind("an AWS Bedrock key", "bedrock-api-key-<B>{40,}={0,2}", GITLEAKS + "aws-amazon-bedrock-api-key-short-lived"),
    kind("a Prefect key", "pn[ub]_<L>{36}", GITLEAKS + "prefect-api-token", anchors="pnu_ pnb_"),
    kind("a Databricks token", "dapi<H>{32}(?:-<D>)?", "docs.databricks.com"),
    kind("a Weights & Biases key", "wandb_v1_<U>{40,}", "docs.wandb.ai"),
    kind("a LangSmith key", "lsv2_(?:pt|sk)_<H>{32}_<H>{10}", "docs.smith.langchain.com"),
    kind("a ClickHouse key", "4b1d<L>{38}", GITLEAKS + "clickhouse-cloud-api-secret-key", check=_changes_often),
    kind("a PlanetScale secret", "pscale_(?:tkn|pw|oauth)_[A-Za-z0-9=_.-]{32,64}", GITLEAKS + "planetscale-api-token"),
    kind("a MaxMind key", "<L>{6}_<L>{29}_mmk", GITLEAKS + "maxmind-license-key", anchors="_mmk", back=(36,)),
)
CODE_AND_PACKAGES = (
    kind(
        "a CodeVF key",
        "cvf_(?:live_<U>{4,}|test_(?!sandbox\\b)<U>{6,})",
        "codevf.com/docs",
        anchors="cvf_live_ cvf_test_",
    ),
    kind("a GitHub token", "gh[pousr]_<L>{20,}", "docs.github.com", anchors="ghp_ gho_ ghu_ ghs_ ghr_"),
    kind("a GitHub token", "github_pat_[A-Za-z0-9_]{20,}", "docs.github.com"),
    kind(
        "a GitLab token",
        "gl(?:pat|dt|rt|ptt|ft|soat|oas|agent|imt|ffct|cbt|rtr)-(?:t\\d_)?[A-Za-z0-9_.-]{16,}",
        "docs.gitlab.com/security/tokens",
        anchors="glpat- gldt- glrt- glptt- glft- glsoat- gloas- glagent- glimt- glffct- glcbt- glrtr-",
        check=_is_no_word,
    ),
    kind("a GitLab token", "GR1348941<U>{20}", GITLEAKS + "gitlab-rrt"),
    kind("a Bitbucket password", "ATBB<L>{28,32}", "support.atlassian.com"),
    kind("a Bitbucket token", "ATCTT3xFfGN0<U>{60,}(?:=<X>{8})?", "support.atlassian.com"),
    kind("an Atlassian token", "ATATT3xFfGF0<U>{60,}(?:=<X>{8}|=<C>{8})?", "support.atlassian.com"),
    kind("an npm token", "npm_<L>{36}", "docs.npmjs.com"),
    kind("a PyPI token", "pypi-AgE<U>{30,}", "pypi.org/help"),
    kind("a RubyGems key", "rubygems_<H>{48}", "guides.rubygems.org"),
    kind("a Clojars token", "CLOJARS_<l>{60}", GITLEAKS + "clojars-api-token"),
    kind("a NuGet key", "oy2<l>{43}", "learn.microsoft.com/nuget", check=_changes_often),
    kind("a Docker Hub token", "dckr_(?:pat|oat)_<U>{27,}", "docs.docker.com", anchors="dckr_pat_ dckr_oat_"),
    kind(
        "a Terraform token", "<L>{14}\\.atlasv1\\.<U>{60,}", "developer.hashicorp.com", anchors=".atlasv1.", back=(14,)
    ),
    kind("a Vault token", "hv[sb]\\.<U>{80,}", "developer.hashicorp.com/vault", anchors="hvs. hvb."),
    kind(
        "a Doppler token",
        "dp\\.(?:pt|st|ct|sa|scim|audit)\\.(?:<U>{2,35}\\.)?<L>{40,44}",
        "docs.doppler.com",
        anchors="dp.",
    ),
    kind("a Pulumi token", "pul-<H>{40}", GITLEAKS + "pulumi-api-token"),
    kind("an Artifactory key", "AKCp<L>{65,70}", GITLEAKS + "artifactory-api-key"),
    kind("an Artifactory token", "cmVmd<L>{59}", GITLEAKS + "artifactory-reference-token"),
    kind("a Sourcegraph token", "sgp_(?:(?:<X>{16}|local)_)?<X>{40}", GITLEAKS + "sourcegraph-access-token"),
    kind("an OpenShift token", "sha256~<U>{43}", GITLEAKS + "openshift-user-token"),
    kind("a ReadMe key", "rdme_<l>{70}", GITLEAKS + "readme-api-token"),
    kind(
        "a 1Password key",
        "A3-<C>{6}-(?:<C>{11}|<C>{6}-<C>{5})(?:-<C>{5}){3}",
        GITLEAKS + "1password-secret-key",
    ),
    kind("a 1Password token", "ops_eyJ<B>{200,}={0,3}", GITLEAKS + "1password-service-account-token"),
    kind("an Octopus key", "API-<C>{26}", GITLEAKS + "octopus-deploy-api-key", check=_has_digit),
    kind(
        "a Harness key",
        "[ps]at\\.<U>{22}\\.<L>{24}\\.<L>{20}",
        GITLEAKS + "harness-api-key",
        anchors="pat. sat.",
    ),
    kind("a Figma token", "fig[dour]_<U>{38,}", "developers.figma.com", anchors="figd_ figo_ figu_ figr_"),
)
CLOUDS = (
    kind(
        "an AWS access key", "(?:AKIA|ASIA|ABIA|ACCA)<C>{16}", "docs.aws.amazon.com/IAM", anchors="AKIA ASIA ABIA ACCA"
    ),
    kind(
        "a signed URL",
        "X-(?:Amz|Goog)-Signature=<X>{64,}",
        "docs.aws.amazon.com/AmazonS3",
        anchors="-Signature=",
        back=(5, 6),
        is_url=True,
    ),
    kind("a Google API key", "AIza<U>{35}", "cloud.google.com/docs/authentication/api-keys"),
    kind("a Google OAuth secret", "GOCSPX-<U>{20,}", "developers.google.com/identity"),
    kind("a Google access token", "ya29\\.<U>{16,}", "developers.google.com/identity", anchors="ya29."),
    kind("a Google refresh token", "1//0<U>{50,}", "developers.google.com/identity"),
    kind(
        "an Azure signed URL",
        "sig=(?:<U>|[+/.~]|%2[BFbf]|%3[Dd]){40,}(?:=|%3[Dd])?",
        "learn.microsoft.com/azure/storage/common/storage-sas-overview",
        is_url=True,
        check=_looks_signed,
    ),
    kind(
        "an Azure client secret",
        "[A-Za-z0-9_.~-]{3}<D>Q~[A-Za-z0-9_.~-]{31,34}",
        GITLEAKS + "azure-ad-client-secret",
        anchors="Q~",
        back=(4,),
    ),
    kind(
        "an Azure storage key",
        "(?:Account|SharedAccess)Key=<B>{30,}={0,2}",
        "learn.microsoft.com/azure/storage",
        anchors="AccountKey= SharedAccessKey=",
        is_url=True,
    ),
    kind(
        "an Azure function's key",
        "azurewebsites\\.net/[^\\s\"'<>]{0,200}[?&]code=[A-Za-z0-9_/+=%-]{20,}",
        "learn.microsoft.com/azure/azure-functions",
        anchors="azurewebsites.net/",
        is_url=True,
    ),
    kind("an Alibaba access key", "LTAI<L>{12,24}", "www.alibabacloud.com/help/ram", check=_changes_often),
    kind("a DigitalOcean token", "do[opr]_v1_<H>{40,}", "docs.digitalocean.com", anchors="dop_v1_ doo_v1_ dor_v1_"),
    kind("a Heroku key", "HRKU-AA<U>{50,}", "devcenter.heroku.com"),
    kind("a Netlify token", "nf[pcoub]_<L>{36,}", "docs.netlify.com", anchors="nfp_ nfc_ nfo_ nfu_ nfb_"),
    kind("a Supabase token", "sb[pv]_<H>{40}", "supabase.com/docs", anchors="sbp_ sbv_"),
    kind("a Supabase key", "sb_secret_<U>{20,}", "supabase.com/docs"),
    kind("a Mapbox token", "sk\\.eyJ1Ijoi<U>{20,}\\.<U>{20,}", "docs.mapbox.com", anchors="sk.eyJ"),
    kind("a Cloudflare key", "v1\\.0-<H>{24}-<H>{146}", GITLEAKS + "cloudflare-origin-ca-key", anchors="v1.0-"),
    kind(
        "a Fly.io token",
        "fo1_<U>{43}|fm[12][ar]?_<B>{100,}={0,3}",
        GITLEAKS + "flyio-access-token",
        anchors="fo1_ fm1r_ fm1a_ fm2_",
    ),
    kind("a Scalingo token", "tk-us-<U>{48}", GITLEAKS + "scalingo-api-token"),
)
MESSAGES = (
    kind(
        "a Slack token",
        "xox[abeoprscd](?:\\.xox[bp])?-<U>{10,}",
        "api.slack.com/authentication",
        anchors="xox",
        check=_has_digit,
    ),
    kind("a Slack token", "xapp-<U>{20,}", "api.slack.com/authentication", check=_has_digit),
    kind(
        "a Slack webhook",
        "hooks\\.slack\\.com/(?:services|workflows|triggers)/[A-Za-z0-9/_-]{20,}",
        "api.slack.com/messaging/webhooks",
        anchors="hooks.slack.com/",
        is_url=True,
    ),
    kind(
        "a Discord webhook",
        "discord(?:app)?\\.com/api/(?:v\\d+/)?webhooks/<D>{16,20}/<U>{60,}",
        "discord.com/developers/docs",
        anchors="/webhooks/",
        back=(15, 18, 19, 22),
        is_url=True,
    ),
    kind(
        "a Discord token",
        "[MNO]<U>{23,27}\\.<U>{6}\\.<U>{27,40}",
        "discord.com/developers/docs",
        anchors=EVERYWHERE,
        check=_changes_often,
    ),
    kind(
        "a Teams webhook",
        "\\.webhook\\.office\\.com/webhookb2/<UUID>@<UUID>/IncomingWebhook/<H>{32}/<UUID>",
        GITLEAKS + "microsoft-teams-webhook",
        anchors=".webhook.office.com/",
        is_url=True,
    ),
    kind(
        "a Telegram bot token",
        "<D>{8,10}:AA<U>{32,34}",
        "core.telegram.org/bots",
        anchors=":AA",
        back=(10, 9, 8),
        is_url=True,
    ),
    kind("a Twilio key", "SK<H>{32}", "www.twilio.com/docs/iam/api-keys"),
    kind("a SendGrid key", "SG\\.<U>{16,}\\.<U>{16,}", "www.twilio.com/docs/sendgrid", anchors="SG."),
    kind("a Mailchimp key", "<H>{32}-us<D>{1,2}", "mailchimp.com/developer", anchors="-us", back=(32,)),
    kind("a Mailgun key", "key-<H>{32}", "documentation.mailgun.com"),
    kind("a Brevo key", "xkeysib-<H>{64}-<L>{16}", "developers.brevo.com"),
    kind("a Facebook token", "EAA[A-Z]<L>{90,}", "developers.facebook.com", anchors="EAA"),
    kind(
        "a Twitter bearer token",
        "A{15,30}<U>{0,20}(?:%(?:25)*[0-9A-F]{2}|[=+/])[A-Za-z0-9%=]{40,}",
        "developer.x.com",
        anchors="AAAAAAAAAAAAAAAAAAAAA",
    ),
)
PAYMENT_MONITORING_WORK = (
    kind(
        "a Stripe key",
        "[sr]k_(?:live|test|prod)_<L>{10,}",
        "docs.stripe.com/keys",
        anchors="k_live_ k_test_ k_prod_",
        back=(1,),
    ),
    kind("a Stripe webhook secret", "whsec_[A-Za-z0-9+/=]{16,}", "docs.stripe.com/webhooks"),
    kind("a Shopify token", "shp(?:at|ss|ca|pa)_<X>{32}", "shopify.dev", anchors="shpat_ shpss_ shpca_ shppa_"),
    kind(
        "a Square token",
        "sq0(?:atp|csp|idp)-<U>{22,60}|EAAA<U>{56,64}",
        "developer.squareup.com",
        anchors="sq0atp- sq0csp- sq0idp- EAAA",
    ),
    kind("a Flutterwave key", "FLWSECK(?:_TEST)?-<l>{12,32}(?:-X)?", GITLEAKS + "flutterwave-secret-key"),
    kind("an EasyPost key", "EZ[AT]K<L>{54}", "docs.easypost.com", anchors="EZAK EZTK"),
    kind("an Apify token", "apify_api_<L>{36}", TRUFFLEHOG + "apify"),
    kind("a Langfuse key", "sk-lf-<UUID>", TRUFFLEHOG + "langfuse"),
    kind("a LaunchDarkly key", "(?:api|sdk)-<UUID>", TRUFFLEHOG + "launchdarkly", anchors="api- sdk-"),
    kind("a Rootly token", "rootly_<H>{64}", TRUFFLEHOG + "rootly"),
    kind("a Ramp secret", "ramp_sec_<L>{48}", TRUFFLEHOG + "ramp"),
    kind("a Plaid token", "access-(?:sandbox|development|production)-<UUID>", TRUFFLEHOG + "plaidkey"),
    kind("a pganalyze key", "pgar_<L>{27}", TRUFFLEHOG + "pganalyzereadkey"),
    kind("a Photoroom key", "sk_pr_<L>{1,64}_<X>{40}", TRUFFLEHOG + "photoroom"),
    kind("a New Relic key", "(?:<H>{32}|eu01xx<H>{26})FFFFNRAL", "docs.newrelic.com", anchors="FFFFNRAL", back=(32,)),
    kind("a Duffel token", "duffel_(?:test|live)_[A-Za-z0-9_=-]{43}", "duffel.com/docs"),
    kind("a Shippo token", "shippo_(?:live|test)_<X>{40}", GITLEAKS + "shippo-api-token"),
    kind(
        "a PayPal secret",
        "access_token\\$(?:production|sandbox)\\$<l>{16}\\$<H>{32}",
        "developer.paypal.com",
        anchors="access_token$",
    ),
    kind("a Sentry token", "sntrys_eyJ<B>{10,}={0,2}_<B>{40,}", "docs.sentry.io"),
    kind("a Sentry token", "sntryu_<H>{64}", "docs.sentry.io"),
    kind("a New Relic key", "NRAK-<C>{27}", "docs.newrelic.com"),
    kind("a New Relic key", "NRI[IQ]-<U>{32}|NRRA-<H>{42}", "docs.newrelic.com", anchors="NRII- NRIQ- NRRA-"),
    kind("a Dynatrace token", "dt0[a-z]<D>{2}\\.<L>{8,24}\\.<L>{64}", "docs.dynatrace.com", anchors="dt0"),
    kind("a Grafana token", "glc_<B>{32,}={0,3}", GITLEAKS + "grafana-cloud-api-token"),
    kind("a Grafana token", "glsa_<L>{32}_<X>{8}", GITLEAKS + "grafana-service-account-token"),
    kind("a Grafana token", "eyJrIjoi<L>{60,}={0,3}", GITLEAKS + "grafana-api-key"),
    kind("a Postman key", "PMAK-<H>{24}-<H>{34}", "learning.postman.com"),
    kind("a Notion token", "ntn_<D>{8,12}<L>{32,38}", "developers.notion.com"),
    kind("a Linear key", "lin_(?:api|oauth)_<L>{40,}", "linear.app/developers", anchors="lin_api_ lin_oauth_"),
    kind("an Airtable token", "pat<L>{14}\\.<H>{64}", "airtable.com/developers", anchors="pat"),
    kind("an Asana token", "[012]/<D>{15,17}(?:/<D>{15,17})?:<H>{32}", "developers.asana.com", anchors="1/ 2/ 0/"),
    kind("an Adobe secret", "p8e-<L>{32}", GITLEAKS + "adobe-client-secret"),
    kind("an Infracost key", "ico-<L>{32}", GITLEAKS + "infracost-api-token", check=_changes_often),
    kind("a Frame.io token", "fio-u-[A-Za-z0-9_=-]{64}", GITLEAKS + "frameio-api-token"),
    kind("an Intra42 secret", "s-s4t2(?:ud|af)-<H>{64}", GITLEAKS + "intra42-client-secret", anchors="s-s4t2"),
    kind(
        "a SettleMint token",
        "sm_[aps]at_<L>{16}",
        GITLEAKS + "settlemint-personal-access-token",
        anchors="sm_aat_ sm_pat_ sm_sat_",
    ),
    kind(
        "an Authress key",
        "(?:sc|ext|scauth|authress)_<L>{5,30}\\.<L>{4,6}\\.acc[_-][A-Za-z0-9-]{10,32}\\.[A-Za-z0-9+/_=-]{30,120}",
        GITLEAKS + "authress-service-client-access-key",
        anchors="sc_ ext_ scauth_ authress_",
    ),
)
KEYS_AS_TEXT = (
    kind("a JSON web token", "eyJ<U>{8,}\\.eyJ<U>{8,}\\.<U>{8,}", "RFC 7519", anchors="eyJ"),
    kind("a JSON web token", "ZXlK<B>{60,}={0,2}", GITLEAKS + "jwt-base64", check=_has_digit),
    kind("an age key", "AGE-SECRET-KEY-1<C>{40,}", "age-encryption.org"),
    kind(
        "a Jupyter cookie", "2\\|1:0\\|10:<D>{10}\\|[^\\s\"']{20,}", "tornado.web, signed values", anchors="2|1:0|10:"
    ),
    kind(
        "a private key",
        "-{4,5} ?BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)? ?-{4,5}(?!-?[\"'`]+ [a-z])|PuTTY-User-Key-File-<D>",
        "RFC 7468, RFC 4716",
        anchors="-----BEGIN\x00 ----\x00BEGIN PuTTY-User-Key-File",
    ),
    kind(
        "a private key",
        "MII<B>{3}IBAAK[BC]<B>{40,}|MII<B>{3}IBADANBgkqhkiG9w0B<B>{40,}|MIGHAgEAMBMGByqGSM49<B>{40,}|MHcCAQEEI<B>{40,}|b3BlbnNzaC1rZXktdjEA<B>{40,}",
        "RFC 8017, RFC 5915: the first bytes of a private key in DER",
        anchors="MII MIGHAgEAMBMGByqGSM49 MHcCAQEEI b3BlbnNzaC1rZXktdjEA",
    ),
    kind(
        "a private key",
        '"kty"[^{}]{0,4000}?"d" {0,4}: {0,4}"<U>{40,}|"d" {0,4}: {0,4}"<U>{40,}"[^{}]{0,4000}?"kty"',
        "RFC 7517",
        anchors='"kty" "d"',
    ),
)
KINDS: tuple[Kind, ...] = (
    *MODELS_AND_DATA,
    *CODE_AND_PACKAGES,
    *CLOUDS,
    *MESSAGES,
    *PAYMENT_MONITORING_WORK,
    *KEYS_AS_TEXT,
)
