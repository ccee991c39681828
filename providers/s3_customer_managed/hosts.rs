//! The hosts of IAM, STS and S3: <https://docs.aws.amazon.com/general/latest/gr/rande.html>.
//!
//! Names of buckets, of distributions and of private endpoints end like these, and anybody can have one.

/// What the program calls; with `-fips`, by modules that are certified.
const SERVICES: [&str; 3] = ["iam", "sts", "s3"];

const DOMAINS: [&str; 3] = [".amazonaws.com", ".amazonaws.com.cn", ".api.aws"];

/// Whether this is the full name of such a host.
pub(super) fn is_of_aws(host: &str) -> bool {
    let name = DOMAINS.into_iter().find_map(|domain| host.strip_suffix(domain));
    let Some(name) = name else {
        return false;
    };
    let labels: Vec<&str> = name.split('.').collect();
    match labels.as_slice() {
        [service] => is_service(service),
        [service, region] => is_service(service) && is_region(region),
        ["s3", "dualstack", region] => is_region(region),
        _ => false,
    }
}

fn is_service(label: &str) -> bool {
    SERVICES.contains(&label.strip_suffix("-fips").unwrap_or(label))
}

/// `eu-central-1`, `us-gov-west-1`, `us-gov`: words of small letters, and perhaps a number at the end.
fn is_region(label: &str) -> bool {
    let mut parts: Vec<&str> = label.split('-').collect();
    if parts
        .last()
        .is_some_and(|last| last.len() == 1 && last.chars().all(|c| c.is_ascii_digit()))
    {
        parts.pop();
    }
    let is_word = |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase());
    parts.len() >= 2 && parts.iter().all(is_word)
}

#[cfg(test)]
mod tests {
    use super::is_of_aws;

    #[test]
    fn only_the_whole_name_of_a_service_is_one_of_aws() {
        for own in [
            "iam.amazonaws.com",
            "sts.amazonaws.com",
            "sts.eu-central-1.amazonaws.com",
            "sts-fips.us-east-1.amazonaws.com",
            "iam.us-gov.amazonaws.com",
            "iam.cn-north-1.amazonaws.com.cn",
            "s3.us-gov-west-1.amazonaws.com",
            "s3.dualstack.eu-west-1.amazonaws.com",
            "sts.eu-west-1.api.aws",
        ] {
            assert!(is_of_aws(own), "{own}");
        }
        for other in [
            "amazonaws.com",
            ".amazonaws.com",
            "evil.amazonaws.com",
            "iam.amazonaws.com.evil.example",
            "iam.amazonaws.com.",
            "iamamazonaws.com",
            "evil.s3.amazonaws.com",
            "evil.s3.eu-west-1.amazonaws.com",
            "evil.s3-website-us-east-1.amazonaws.com",
            "s3-website-us-east-1.amazonaws.com",
            "s3.evil.amazonaws.com",
            "s3.evil-bucket-10.amazonaws.com",
            "vpce-0123-abcd.sts.us-east-1.vpce.amazonaws.com",
            "vpce-0123.vpce-svc-0123.us-east-1.vpce.amazonaws.com",
            "ec2-203-0-113-7.compute-1.amazonaws.com",
            "abcdef.execute-api.us-east-1.amazonaws.com",
            "abcdef.lambda-url.us-east-1.on.aws",
            "iam.cn-north-1.amazonaws.com.cn.evil.example",
            "",
        ] {
            assert!(!is_of_aws(other), "{other}");
        }
    }
}
